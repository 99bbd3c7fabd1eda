//! AdamW as PyTorch computes it.

use burn::tensor::Tensor;
use forge_nn::ops::{AdamWStep, adamw_step};
use forge_nn::{ForgeError, check};

use super::shared_settings::{betas, optimizer_config};
use super::update_rule::burn_optimizer;
use super::{Memory, UpdateRule};

optimizer_config! {
    /// [`AdamW`]'s fields. The learning rate comes from the schedule.
    ///
    /// Betas, epsilon and weight decay default to PyTorch's. What decays does not: there everything
    /// does, here biases, norms, embeddings and tokens are exempt unless `decay_biases`, `no_decay`
    /// or a group says otherwise.
    pub struct AdamWConfig {
        /// Memory of the gradient, in `[0, 1)`. Default 0.9.
        pub beta_1: f64 = 0.9,
        /// Memory of the squared gradient, in `[0, 1)`. Default 0.999.
        pub beta_2: f64 = 0.999,
        /// Added to the root of the second moment after bias correction. Above 0, default 1e-8.
        pub epsilon: f64 = 1e-8,
    }
    weight_decay = 0.01;
    /// Decoupled weight decay. At least 0, default 0.01.
}

impl AdamWConfig {
    pub(super) fn validate(&self) -> Result<(), ForgeError> {
        betas(&[("beta_1", self.beta_1), ("beta_2", self.beta_2)])?;
        check::positive("optimizer.epsilon", self.epsilon)
    }
}

/// Decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2), in PyTorch's arithmetic:
///
/// ```text
/// p ← p (1 - lr·wd)
/// m ← β₁ m + (1 - β₁) g        v ← β₂ v + (1 - β₂) g²
/// p ← p - lr/(1 - β₁ᵗ) · m / (√v/√(1 - β₂ᵗ) + ε)
/// ```
///
/// Each step is one call of [`adamw_step`], which is fused where there is a kernel.
#[derive(Debug, Clone)]
pub struct AdamW {
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
    weight_decay: f64,
}

impl AdamW {
    /// One optimiser with the betas and epsilon of `config` and a weight decay of its own.
    #[must_use]
    pub fn new(config: &AdamWConfig, weight_decay: f64) -> Self {
        Self::with(config.beta_1, config.beta_2, config.epsilon, weight_decay)
    }

    pub(super) fn with(beta_1: f64, beta_2: f64, epsilon: f64, weight_decay: f64) -> Self {
        Self {
            beta_1,
            beta_2,
            epsilon,
            weight_decay,
        }
    }
}

/// What a rule of Adam's kind does with the two moments of `memory`, its first tensors.
pub(super) fn step_of_adam<R: UpdateRule, const D: usize>(
    numbers: &AdamW,
    lr: f64,
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    memory: &mut Memory<R, D>,
) -> Tensor<D> {
    let [m, v] = memory.take();
    let step = AdamWStep {
        learning_rate: lr,
        beta_1: numbers.beta_1,
        beta_2: numbers.beta_2,
        epsilon: numbers.epsilon,
        weight_decay: numbers.weight_decay,
        time: usize::try_from(memory.step).unwrap_or(usize::MAX),
    };
    let (parameter, m, v) = adamw_step(parameter, gradient, m, v, &step);
    memory.tensors = vec![m, v];
    parameter
}

impl UpdateRule for AdamW {
    const TENSORS: &'static [&'static str] = &["exp_avg", "exp_avg_sq"];

    fn update<const D: usize>(
        &self,
        lr: f64,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        memory: &mut Memory<Self, D>,
    ) -> Tensor<D> {
        step_of_adam(self, lr, parameter, gradient, memory)
    }
}

burn_optimizer!(AdamW);
