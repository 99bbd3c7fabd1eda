//! The linear layer on CubeCL devices: Burn's products, with the gradients of weight and bias, whose
//! inner axis are all rows, cut so that they keep a GPU busy.

use burn::backend::ops::FloatTensorOps;
use burn_cubecl::CubeBackend;
use burn_cubecl::tensor::CubeTensor;

use super::{LinearActivation, LinearOps, reference};
use crate::ops::cube::launch::{empty, units_are_cores};
use crate::ops::cube::product::{product, sum_of_rows};
use crate::ops::expression::Expr;

impl LinearOps for CubeBackend {
    fn fused_linear_backward(
        x: CubeTensor,
        weight: CubeTensor,
        z: CubeTensor,
        dy: CubeTensor,
        activation: LinearActivation,
        needs_input: bool,
    ) -> (CubeTensor, CubeTensor, CubeTensor) {
        let nothing = [&x, &weight, &dy]
            .into_iter()
            .any(|t| t.meta.num_elements() == 0);
        if nothing || units_are_cores(&x) {
            return reference::backward::<Self>(x, weight, z, dy, activation);
        }
        let x = Expr::<Self>(x);
        let shape = x.shape();
        let (z, dy) = (Expr::<Self>(z), Expr(dy));
        let dz = reference::before(z, dy, activation).rows();
        let dtype = dz.0.dtype;
        let dbias = sum_of_rows(dz.0.clone());
        let dweight = product(x.clone().rows().transpose().0, dz.0.clone(), dtype);
        let dx = if needs_input {
            let dx = product(dz.0, Self::float_transpose(weight), dtype);
            Self::float_reshape(dx, shape)
        } else {
            empty(&x.0, shape, dtype)
        };
        (dx, dweight, dbias)
    }
}
