//! The linear layer on `flex`.

mod blocks;
mod layer;

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};

use self::layer::{Gradients, Layer};
use super::{LinearActivation, LinearOps, reference};
use crate::ops::flex::buffer::Buffer;
use crate::ops::flex::view::{Dense, by_dtype, width};
use crate::ops::flex::{Matrices, Real};
use crate::ops::optional::OptionalFloat;

impl LinearOps for Flex {
    fn fused_linear(
        x: FlexTensor,
        weight: FlexTensor,
        bias: OptionalFloat<Self>,
        activation: LinearActivation,
    ) -> FlexTensor {
        let bias = bias.into_option();
        let known = bias.as_ref().unwrap_or(&weight);
        by_dtype!([&x, &weight, known], E => {
            forward::<E>(x, weight, bias, activation, false).0
        }, reference::forward::<Self>(x, weight, bias, activation).0)
    }

    fn fused_linear_forward(
        x: FlexTensor,
        weight: FlexTensor,
        bias: OptionalFloat<Self>,
        activation: LinearActivation,
    ) -> (FlexTensor, FlexTensor) {
        let bias = bias.into_option();
        let known = bias.as_ref().unwrap_or(&weight);
        by_dtype!([&x, &weight, known], E => {
            forward::<E>(x, weight, bias, activation, true)
        }, reference::forward::<Self>(x, weight, bias, activation))
    }

    fn fused_linear_backward(
        x: FlexTensor,
        weight: FlexTensor,
        z: FlexTensor,
        dy: FlexTensor,
        activation: LinearActivation,
        needs_input: bool,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        by_dtype!([&x, &weight, &z, &dy], E => {
            backward::<E>(x, weight, z, dy, activation, needs_input)
        }, reference::backward::<Self>(x, weight, z, dy, activation))
    }
}

/// The output, and the value before the activation where the backward pass will need it
/// (otherwise the output again).
fn forward<E: Real>(
    x: FlexTensor,
    weight: FlexTensor,
    bias: Option<FlexTensor>,
    activation: LinearActivation,
    keep: bool,
) -> (FlexTensor, FlexTensor) {
    let weight = Matrices::<E>::of(&weight);
    let [inputs, outputs] = weight.size();
    let mut shape = x.shape();
    let rank = shape.num_dims();
    // The product reaches into memory by these sizes.
    assert_eq!(shape[rank - 1], inputs, "linear: x {shape:?}");
    shape[rank - 1] = outputs;
    let x = Dense::of(x);
    let input = x.slice::<E>();
    let rows = input.len() / inputs;
    let bias = bias.map(Dense::of);
    let bias = bias.as_ref().map(|bias| bias.slice::<E>());
    let layer = Layer { weight, activation };
    let mut z = Buffer::<E>::new(&[rows, outputs]);
    let keep = keep && matches!(activation, LinearActivation::Gelu | LinearActivation::Silu);
    if !keep {
        layer.forward(input, bias, z.as_mut(), None);
        let y = z.into_tensor(shape);
        return (y.clone(), y);
    }
    let mut y = Buffer::<E>::new(&[rows, outputs]);
    layer.forward(input, bias, z.as_mut(), Some(y.as_mut()));
    (y.into_tensor(shape.clone()), z.into_tensor(shape))
}

/// The gradients of input, weight and bias.
fn backward<E: Real>(
    x: FlexTensor,
    weight: FlexTensor,
    z: FlexTensor,
    dy: FlexTensor,
    activation: LinearActivation,
    needs_input: bool,
) -> (FlexTensor, FlexTensor, FlexTensor) {
    let weight = Matrices::<E>::of(&weight);
    let [inputs, outputs] = weight.size();
    let shape = x.shape();
    // The products reach into memory by these sizes.
    assert_eq!([width(&x), width(&dy)], weight.size(), "linear: weight");
    let [x, z, dy] = [x, z, dy].map(Dense::of);
    let [input, z, dy] = [&x, &z, &dy].map(|tensor| tensor.slice::<E>());
    let layer = Layer { weight, activation };
    let mut dx = Buffer::<E>::new(&[if needs_input { input.len() } else { 0 }]);
    let mut dweight = Buffer::<E>::new(&[inputs, outputs]);
    let mut dbias = Buffer::<E>::new(&[outputs]);
    let to = Gradients {
        dx: dx.as_mut(),
        dweight: dweight.as_mut(),
        dbias: dbias.as_mut(),
    };
    layer.backward(input, z, dy, to);
    let dx = match needs_input {
        true => dx.into_tensor(shape),
        false => Buffer::<E>::zeros(&[1]).into_tensor([1]),
    };
    let dweight = dweight.into_tensor([inputs, outputs]);
    (dx, dweight, dbias.into_tensor([outputs]))
}
