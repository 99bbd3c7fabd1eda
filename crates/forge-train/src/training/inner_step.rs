//! A step that stays on the graph.

use burn::module::{Module, ModuleMapper, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

/// `θ' = θ - lr g` as a new module, with everything left on the graph: a later backward pass goes
/// through `θ'` to `θ`, and through the gradients where these are on the graph themselves.
/// Parameters without a gradient, and buffers, are those of `module`.
///
/// The inner step of meta-learning (Finn et al. 2017, eq. 1). Burn's own backward pass returns
/// gradients off the graph; with those this is the first-order step, in which `θ'` depends on `θ`
/// directly alone. Compute with the result and read its parameters, but do not put it in training
/// mode or freeze it: its parameters are no leaves.
///
/// ```
/// use forge_nn::burn::nn::LinearConfig;
/// use forge_nn::burn::optim::GradientsParams;
/// use forge_nn::burn::tensor::{Device, Tensor};
/// use forge_train::inner_step;
///
/// let device = Device::flex().autodiff();
/// let line = LinearConfig::new(1, 1).with_bias(false).init(&device);
/// // The gradient of (w x - y)²/2, written on the graph: (w x - y) x with x = 2, y = 1.
/// let mut gradient = GradientsParams::new();
/// gradient.register(line.weight.id, (line.weight.val() * 2.0 - 1.0) * 2.0);
/// let adapted = inner_step(&line, gradient, 0.1);
/// // dw'/dw = 1 - lr x² = 0.6
/// let grads = adapted.weight.val().sum().backward();
/// let slope: Tensor<2> = line.weight.val().grad(&grads).unwrap();
/// assert!((slope.into_scalar::<f32>() - 0.6).abs() < 1e-6);
/// ```
#[must_use]
pub fn inner_step<M: Module>(module: &M, gradients: GradientsParams, lr: f64) -> M {
    // Cloned statistics of Burn's own layers are shared with `module`; nothing here changes them.
    module.clone().map(&mut Descend { gradients, lr })
}

struct Descend {
    gradients: GradientsParams,
    lr: f64,
}

impl ModuleMapper for Descend {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.gradients.remove::<D>(param.id) {
            Some(gradient) => {
                let moved = param.base().sub(gradient.mul_scalar(self.lr));
                Param::initialized(param.id, moved)
            }
            None => param,
        }
    }
}
