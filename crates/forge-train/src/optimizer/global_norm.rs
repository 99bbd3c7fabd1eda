//! Gradients taken as one vector: their norm, clipping by it, and sums over parts of a batch.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Tensor};
use forge_nn::ForgeError;
use forge_nn::parameters::{ParameterPath, ParameterVisitor, visit_parameters};

/// The Euclidean norm of all gradients of `module` taken as one vector; absent if it has none.
///
/// Stays on the device: nothing is read back.
///
/// # Shapes
/// - output: `[1]`
pub fn global_norm<M: Module>(module: &M, grads: &GradientsParams) -> Option<Tensor<1>> {
    let squares = sums(module, grads, |g| g.clone().mul(g))?;
    Some(squares.sqrt())
}

/// Whether every element of every gradient of `module` is finite; true if it has none. One number
/// is read back.
///
/// Exact: gradients that are finite and so large that their norm overflows pass.
///
/// # Errors
/// A device error if the number cannot be read back.
pub fn is_finite<M: Module>(module: &M, grads: &GradientsParams) -> Result<bool, ForgeError> {
    // 0 · g is 0 for what is finite, and NaN for NaN and both infinities.
    let Some(zero) = sums(module, grads, |g| g.mul_scalar(0.0)) else {
        return Ok(true);
    };
    let zero: f64 = zero
        .try_into_scalar()
        .map_err(|e| ForgeError::device(format!("gradients cannot be read back: {e}")))?;
    Ok(zero.is_finite())
}

/// All gradients times `factor`.
///
/// # Shapes
/// - `factor`: `[1]`, of any float type, on the device of the gradients
pub fn scale<M: Module>(module: &M, grads: GradientsParams, factor: Tensor<1>) -> GradientsParams {
    let mut scale = Scale {
        from: grads,
        to: GradientsParams::new(),
        factor,
    };
    visit_parameters(module, &mut scale);
    scale.to
}

/// Scales all gradients by `min(1, max_norm/(norm + 1e-6))`, where `norm` is that of
/// [`global_norm`] (Pascanu et al. 2013; PyTorch's `clip_grad_norm_`). Returns the norm before
/// clipping.
///
/// Burn's own clipping by norm works on each parameter alone, which changes the direction of the
/// step. A norm that is not finite makes every gradient NaN, as in PyTorch.
///
/// # Shapes
/// - output: `[1]`
pub fn clip_global_norm<M: Module>(
    module: &M,
    grads: GradientsParams,
    max_norm: f64,
) -> (GradientsParams, Option<Tensor<1>>) {
    let Some(norm) = global_norm(module, &grads) else {
        return (grads, None);
    };
    let factor = norm
        .clone()
        .add_scalar(1e-6)
        .recip()
        .mul_scalar(max_norm)
        .clamp_max(1.0);
    // `clamp_max` may lose a NaN; 0 · norm brings it back.
    let factor = factor.add(norm.clone().mul_scalar(0.0));
    (scale(module, grads, factor), Some(norm))
}

/// `total + grads`, parameter by parameter; a gradient that only one side has is kept.
pub fn accumulate<M: Module>(
    module: &M,
    total: GradientsParams,
    grads: GradientsParams,
) -> GradientsParams {
    let mut add = Add {
        a: total,
        b: grads,
        to: GradientsParams::new(),
    };
    visit_parameters(module, &mut add);
    add.to
}

/// The sum of `of(g)` over all elements of all gradients of `module`; absent if it has none.
fn sums<M: Module>(
    module: &M,
    grads: &GradientsParams,
    of: fn(Tensor<1>) -> Tensor<1>,
) -> Option<Tensor<1>> {
    let mut sums = Sums {
        grads,
        of,
        sums: Vec::new(),
    };
    visit_parameters(module, &mut sums);
    if sums.sums.is_empty() {
        None
    } else {
        Some(Tensor::cat(sums.sums, 0).sum())
    }
}

/// The tensor without autodiff.
pub(super) fn off_graph<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    if tensor.is_autodiff() {
        tensor.inner()
    } else {
        tensor
    }
}

struct Sums<'a> {
    grads: &'a GradientsParams,
    of: fn(Tensor<1>) -> Tensor<1>,
    sums: Vec<Tensor<1>>,
}

impl ParameterVisitor for Sums<'_> {
    fn visit<const D: usize>(&mut self, _: &ParameterPath, param: &Param<Tensor<D>>) {
        if let Some(g) = self.grads.get::<D>(param.id) {
            // Half precision overflows at 65504: sums are taken in f32 there.
            let g = if g.dtype() == DType::F64 {
                g
            } else {
                g.cast(DType::F32)
            };
            let n = g.shape().num_elements();
            self.sums.push((self.of)(g.reshape([n])).sum());
        }
    }
}

struct Scale {
    from: GradientsParams,
    to: GradientsParams,
    factor: Tensor<1>,
}

impl ParameterVisitor for Scale {
    fn visit<const D: usize>(&mut self, _: &ParameterPath, param: &Param<Tensor<D>>) {
        if let Some(g) = self.from.remove::<D>(param.id) {
            let factor = self.factor.clone().cast(g.dtype()).reshape([1; D]);
            self.to.register(param.id, g.mul(factor));
        }
    }
}

struct Add {
    a: GradientsParams,
    b: GradientsParams,
    to: GradientsParams,
}

impl ParameterVisitor for Add {
    fn visit<const D: usize>(&mut self, _: &ParameterPath, param: &Param<Tensor<D>>) {
        let sum = match (self.a.remove::<D>(param.id), self.b.remove::<D>(param.id)) {
            (Some(a), Some(b)) => a.add(b),
            (Some(g), None) | (None, Some(g)) => g,
            (None, None) => return,
        };
        self.to.register(param.id, sum);
    }
}
