//! Lion.

use burn::tensor::Tensor;
use forge_nn::ForgeError;

use super::shared_settings::{betas, optimizer_config};
use super::update_rule::burn_optimizer;
use super::{Memory, UpdateRule};

optimizer_config! {
    /// [`Lion`]'s fields. It wants a rate some 3 to 10 times lower than AdamW's, and a decay as much
    /// higher.
    pub struct LionConfig {
        /// Share of the momentum in the direction, in `[0, 1)`. Default 0.9.
        pub beta_1: f64 = 0.9,
        /// Memory of the momentum, in `[0, 1)`. Default 0.99.
        pub beta_2: f64 = 0.99,
    }
    weight_decay = 0.0;
    /// Decoupled weight decay. At least 0, default 0.
}

impl LionConfig {
    pub(super) fn validate(&self) -> Result<(), ForgeError> {
        betas(&[("beta_1", self.beta_1), ("beta_2", self.beta_2)])
    }
}

/// Evolved sign momentum (Chen et al. 2023, algorithm 2):
///
/// ```text
/// p ← p (1 - lr·wd) - lr sign(β₁ m + (1 - β₁) g)
/// m ← β₂ m + (1 - β₂) g
/// ```
#[derive(Debug, Clone)]
pub struct Lion {
    beta_1: f64,
    beta_2: f64,
    weight_decay: f64,
}

impl Lion {
    /// One optimiser with the betas of `config` and a weight decay of its own.
    #[must_use]
    pub fn new(config: &LionConfig, weight_decay: f64) -> Self {
        Self {
            beta_1: config.beta_1,
            beta_2: config.beta_2,
            weight_decay,
        }
    }
}

/// `beta · old + (1 - beta) · new`.
pub(super) fn mix<const D: usize>(old: Tensor<D>, new: Tensor<D>, beta: f64) -> Tensor<D> {
    old.mul_scalar(beta).add(new.mul_scalar(1.0 - beta))
}

/// `parameter · (1 - lr · decay)`.
pub(super) fn decayed<const D: usize>(parameter: Tensor<D>, lr: f64, decay: f64) -> Tensor<D> {
    if decay == 0.0 {
        parameter
    } else {
        parameter.mul_scalar(1.0 - lr * decay)
    }
}

impl UpdateRule for Lion {
    const TENSORS: &'static [&'static str] = &["exp_avg"];

    fn update<const D: usize>(
        &self,
        lr: f64,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        memory: &mut Memory<Self, D>,
    ) -> Tensor<D> {
        let [momentum] = memory.take();
        let direction = mix(momentum.clone(), gradient.clone(), self.beta_1).sign();
        memory.tensors = vec![mix(momentum, gradient, self.beta_2)];
        decayed(parameter, lr, self.weight_decay).sub(direction.mul_scalar(lr))
    }
}

burn_optimizer!(Lion);
