//! Gradients taken as one vector: their norm, clipping by it, and sums over parts of a batch.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Tensor};

/// The Euclidean norm of all gradients of `module` taken as one vector; absent if it has none.
///
/// Stays on the device: nothing is read back.
///
/// # Shapes
/// - output: `[1]`
pub fn global_norm<M: Module>(module: &M, grads: &GradientsParams) -> Option<Tensor<1>> {
    let mut squares = Squares {
        grads,
        sums: Vec::new(),
    };
    module.visit(&mut squares);
    if squares.sums.is_empty() {
        None
    } else {
        Some(Tensor::cat(squares.sums, 0).sum().sqrt())
    }
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
    let mut scale = Scale {
        from: grads,
        to: GradientsParams::new(),
        factor,
    };
    module.visit(&mut scale);
    (scale.to, Some(norm))
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
    module.visit(&mut add);
    add.to
}

struct Squares<'a> {
    grads: &'a GradientsParams,
    sums: Vec<Tensor<1>>,
}

impl ModuleVisitor for Squares<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(g) = self.grads.get::<D>(param.id) {
            // Half precision overflows at 65504: squares are summed in f32 there.
            let g = if g.dtype() == DType::F64 {
                g
            } else {
                g.cast(DType::F32)
            };
            self.sums.push(g.clone().mul(g).sum());
        }
    }
}

struct Scale {
    from: GradientsParams,
    to: GradientsParams,
    factor: Tensor<1>,
}

impl ModuleVisitor for Scale {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
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

impl ModuleVisitor for Add {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let sum = match (self.a.remove::<D>(param.id), self.b.remove::<D>(param.id)) {
            (Some(a), Some(b)) => a.add(b),
            (Some(g), None) | (None, Some(g)) => g,
            (None, None) => return,
        };
        self.to.register(param.id, sum);
    }
}
