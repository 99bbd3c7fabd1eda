//! Modules as vectors.

use burn::module::{Module, Param};
use burn::tensor::{DType, Tensor};

use super::{
    Combine, Floats, PairVisitor, ParameterPath, ParameterVisitor, visit_parameters, zip_map,
    zip_visit,
};
use crate::ForgeError;

/// `a + weight · (b - a)` for each float tensor that takes part; everything else is as in `a`.
///
/// In this form tensors that are equal in both stay as they are, to the bit, whatever the weight.
/// `weight` 0 gives `a`, 1 gives `b` up to rounding; any number is allowed. Which tensors take
/// part, and that this is outside of any graph: see [`zip_map`].
///
/// # Errors
/// A weights error naming every tensor that only one of the modules has, or that has different
/// shapes in them.
pub fn lerp<M: Module, N: Module>(
    a: M,
    b: &N,
    weight: f64,
    floats: Floats,
) -> Result<M, ForgeError> {
    zip_map(a, b, floats, &mut Lerp { weight })
}

/// The scalar product of two modules taken as vectors: `Σ aᵢ bᵢ` over all elements of the float
/// tensors that take part (see [`zip_visit`]). Differentiable where the modules are.
///
/// Half precision is summed in f32. Stays on the device: nothing is read back.
///
/// # Shapes
/// - output: `[1]`
///
/// # Errors
/// A weights error as [`lerp`]'s, or if no tensor takes part.
pub fn dot<M: Module, N: Module>(a: &M, b: &N, floats: Floats) -> Result<Tensor<1>, ForgeError> {
    let mut products = Sums::default();
    zip_visit(a, b, floats, &mut products)?;
    products.total(floats)
}

/// The Euclidean norm of a module taken as one vector, `√(Σ aᵢ²)` over the float tensors that take
/// part. Differentiable where the module is, except at 0.
///
/// Half precision is summed in f32. Stays on the device: nothing is read back.
///
/// # Shapes
/// - output: `[1]`
///
/// # Errors
/// A weights error if no tensor takes part.
pub fn norm<M: Module>(module: &M, floats: Floats) -> Result<Tensor<1>, ForgeError> {
    let mut squares = Squares {
        floats,
        sums: Sums::default(),
    };
    visit_parameters(module, &mut squares);
    Ok(squares.sums.total(floats)?.sqrt())
}

struct Lerp {
    weight: f64,
}

impl Combine for Lerp {
    fn combine<const D: usize>(
        &mut self,
        _: &ParameterPath,
        a: Tensor<D>,
        b: Tensor<D>,
    ) -> Tensor<D> {
        b.sub(a.clone()).mul_scalar(self.weight).add(a)
    }
}

/// One sum per pair of tensors.
#[derive(Default)]
struct Sums(Vec<Tensor<1>>);

impl Sums {
    fn total(self, floats: Floats) -> Result<Tensor<1>, ForgeError> {
        if self.0.is_empty() {
            let none = match floats {
                Floats::Trainable => {
                    "the module has no trainable parameter; unfreeze it, or take Floats::All"
                }
                Floats::All => "the module has no float tensor",
            };
            return Err(ForgeError::weights(none));
        }
        // A module may mix f32 and f64.
        let is_f64 = self.0.iter().any(|sum| sum.dtype() == DType::F64);
        let dtype = if is_f64 { DType::F64 } else { DType::F32 };
        let sums = self.0.into_iter().map(|sum| sum.cast(dtype)).collect();
        Ok(Tensor::cat(sums, 0).sum())
    }
}

impl PairVisitor for Sums {
    fn visit<const D: usize>(&mut self, _: &ParameterPath, a: Tensor<D>, b: Tensor<D>) {
        self.0.push(wide(a).mul(wide(b)).sum());
    }
}

struct Squares {
    floats: Floats,
    sums: Sums,
}

impl ParameterVisitor for Squares {
    fn visit<const D: usize>(&mut self, path: &ParameterPath, param: &Param<Tensor<D>>) {
        if self.floats.take(param) {
            let value = param.base();
            self.sums.visit(path, value.clone(), value);
        }
    }
}

/// Half precision overflows at 65504: products are taken and summed in f32 there.
fn wide<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    match tensor.dtype() {
        DType::F64 | DType::F32 => tensor,
        _ => tensor.cast(DType::F32),
    }
}
