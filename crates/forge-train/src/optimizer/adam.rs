//! Adam as PyTorch computes it.

use burn::tensor::Tensor;
use forge_nn::{ForgeError, check};

use super::adam_w::step_of_adam;
use super::shared_settings::{betas, optimizer_config};
use super::update_rule::burn_optimizer;
use super::{AdamW, Memory, UpdateRule};

optimizer_config! {
    /// [`Adam`]'s fields, with PyTorch's defaults.
    pub struct AdamConfig {
        /// Memory of the gradient, in `[0, 1)`. Default 0.9.
        pub beta_1: f64 = 0.9,
        /// Memory of the squared gradient, in `[0, 1)`. Default 0.999.
        pub beta_2: f64 = 0.999,
        /// Added to the root of the second moment after bias correction. Above 0, default 1e-8.
        pub epsilon: f64 = 1e-8,
    }
    weight_decay = 0.0;
    /// L2 penalty: `wd·p` is added to the gradient, and so goes through the moments. At least 0,
    /// default 0. For a decay that does not, take AdamW.
}

impl AdamConfig {
    pub(super) fn validate(&self) -> Result<(), ForgeError> {
        betas(&[("beta_1", self.beta_1), ("beta_2", self.beta_2)])?;
        check::positive("optimizer.epsilon", self.epsilon)
    }
}

/// Kingma and Ba 2015, algorithm 1, in PyTorch's arithmetic: [`AdamW`] without its decay, of the
/// gradient `g + wd·p`.
#[derive(Debug, Clone)]
pub struct Adam {
    numbers: AdamW,
    weight_decay: f64,
}

impl Adam {
    /// One optimiser with the betas and epsilon of `config` and a weight decay of its own.
    #[must_use]
    pub fn new(config: &AdamConfig, weight_decay: f64) -> Self {
        Self {
            numbers: AdamW::with(config.beta_1, config.beta_2, config.epsilon, 0.0),
            weight_decay,
        }
    }
}

/// `gradient + decay · parameter`.
pub(super) fn penalised<const D: usize>(
    gradient: Tensor<D>,
    parameter: &Tensor<D>,
    decay: f64,
) -> Tensor<D> {
    if decay == 0.0 {
        gradient
    } else {
        gradient.add(parameter.clone().mul_scalar(decay))
    }
}

impl UpdateRule for Adam {
    const TENSORS: &'static [&'static str] = &["exp_avg", "exp_avg_sq"];

    fn update<const D: usize>(
        &self,
        lr: f64,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        memory: &mut Memory<Self, D>,
    ) -> Tensor<D> {
        let gradient = penalised(gradient, &parameter, self.weight_decay);
        step_of_adam(&self.numbers, lr, parameter, gradient, memory)
    }
}

burn_optimizer!(Adam);
