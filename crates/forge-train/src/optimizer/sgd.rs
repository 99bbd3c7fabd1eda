//! Stochastic gradient descent as PyTorch computes it.

use burn::tensor::Tensor;
use forge_nn::ForgeError;

use super::adam::penalised;
use super::shared_settings::{betas, optimizer_config};
use super::update_rule::burn_optimizer;
use super::{Memory, UpdateRule};

optimizer_config! {
    /// [`Sgd`]'s fields.
    pub struct SgdConfig {
        /// Memory of the velocity `μ`, in `[0, 1)`. Default 0.9 (PyTorch: 0).
        pub momentum: f64 = 0.9,
        /// `τ`, in `[0, 1)`: what of a gradient does not reach the velocity. Default 0.
        pub dampening: f64 = 0.0,
        /// Look ahead by the velocity (Nesterov). Needs a momentum and no dampening. Default false.
        pub nesterov: bool = false,
    }
    weight_decay = 0.0;
    /// L2 penalty: `wd·p` is added to the gradient. At least 0, default 0.
}

impl SgdConfig {
    pub(super) fn validate(&self) -> Result<(), ForgeError> {
        betas(&[("momentum", self.momentum), ("dampening", self.dampening)])?;
        if self.nesterov && (self.momentum == 0.0 || self.dampening != 0.0) {
            let allowed = "false, or with a momentum above 0 and dampening 0";
            return Err(ForgeError::config("optimizer.nesterov", true, allowed));
        }
        Ok(())
    }
}

/// Gradient descent with momentum (Sutskever et al. 2013), in PyTorch's arithmetic:
///
/// ```text
/// g ← g + wd·p
/// b ← μ b + (1 - τ) g          at the first step b ← g
/// p ← p - lr b                 with nesterov p ← p - lr (g + μ b)
/// ```
#[derive(Debug, Clone)]
pub struct Sgd {
    momentum: f64,
    dampening: f64,
    nesterov: bool,
    weight_decay: f64,
}

impl Sgd {
    /// One optimiser with the momentum of `config` and a weight decay of its own.
    #[must_use]
    pub fn new(config: &SgdConfig, weight_decay: f64) -> Self {
        Self {
            momentum: config.momentum,
            dampening: config.dampening,
            nesterov: config.nesterov,
            weight_decay,
        }
    }
}

impl UpdateRule for Sgd {
    const TENSORS: &'static [&'static str] = &["momentum_buffer"];

    fn update<const D: usize>(
        &self,
        lr: f64,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        memory: &mut Memory<Self, D>,
    ) -> Tensor<D> {
        let gradient = penalised(gradient, &parameter, self.weight_decay);
        if self.momentum == 0.0 {
            return parameter.sub(gradient.mul_scalar(lr));
        }
        let [velocity] = memory.take();
        let velocity = if memory.step == 1 {
            gradient.clone()
        } else {
            let new = gradient.clone().mul_scalar(1.0 - self.dampening);
            velocity.mul_scalar(self.momentum).add(new)
        };
        memory.tensors = vec![velocity.clone()];
        let direction = if self.nesterov {
            gradient.add(velocity.mul_scalar(self.momentum))
        } else {
            velocity
        };
        parameter.sub(direction.mul_scalar(lr))
    }
}

burn_optimizer!(Sgd);
