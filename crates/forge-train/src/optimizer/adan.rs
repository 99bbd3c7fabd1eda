//! Adan.

use burn::tensor::Tensor;
use forge_nn::{ForgeError, check};

use super::lion::{decayed, mix};
use super::shared_settings::{betas, optimizer_config};
use super::update_rule::burn_optimizer;
use super::{Memory, UpdateRule};

optimizer_config! {
    /// [`Adan`]'s fields, with the authors' defaults.
    pub struct AdanConfig {
        /// Memory of the gradient, in `[0, 1)`. Default 0.98.
        pub beta_1: f64 = 0.98,
        /// Memory of the gradient's change, in `[0, 1)`. Default 0.92.
        pub beta_2: f64 = 0.92,
        /// Memory of the square, in `[0, 1)`. Default 0.99.
        pub beta_3: f64 = 0.99,
        /// Added to the root after bias correction. Above 0, default 1e-8.
        pub epsilon: f64 = 1e-8,
        /// Decay before the step, as AdamW does (the authors' `no_prox`), not after it. Default
        /// false.
        pub no_prox: bool = false,
    }
    weight_decay = 0.0;
    /// Decoupled weight decay. At least 0, default 0.
}

impl AdanConfig {
    pub(super) fn validate(&self) -> Result<(), ForgeError> {
        let Self {
            beta_1,
            beta_2,
            beta_3,
            ..
        } = *self;
        betas(&[("beta_1", beta_1), ("beta_2", beta_2), ("beta_3", beta_3)])?;
        check::positive("optimizer.epsilon", self.epsilon)
    }
}

/// Adaptive Nesterov momentum (Xie et al. 2022, algorithm 1, with the bias corrections of the
/// authors' code). With `Δ` the change of the gradient, 0 at the first step:
///
/// ```text
/// m ← β₁ m + (1 - β₁) g    d ← β₂ d + (1 - β₂) Δ    n ← β₃ n + (1 - β₃) (g + β₂ Δ)²
/// p ← [p - lr (m/(1 - β₁ᵗ) + β₂ d/(1 - β₂ᵗ)) / (√n/√(1 - β₃ᵗ) + ε)] / (1 + lr·wd)
/// ```
#[derive(Debug, Clone)]
pub struct Adan {
    config: AdanConfig,
    weight_decay: f64,
}

impl Adan {
    /// One optimiser with the betas and epsilon of `config` and a weight decay of its own.
    #[must_use]
    pub fn new(config: &AdanConfig, weight_decay: f64) -> Self {
        Self {
            config: config.clone(),
            weight_decay,
        }
    }
}

impl UpdateRule for Adan {
    const TENSORS: &'static [&'static str] =
        &["exp_avg", "exp_avg_diff", "exp_avg_sq", "last_gradient"];

    fn update<const D: usize>(
        &self,
        lr: f64,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        memory: &mut Memory<Self, D>,
    ) -> Tensor<D> {
        let c = &self.config;
        let [m, d, n, last] = memory.take();
        let change = if memory.step == 1 {
            gradient.zeros_like()
        } else {
            gradient.clone().sub(last)
        };
        let ahead = gradient.clone().add(change.clone().mul_scalar(c.beta_2));
        let m = mix(m, gradient.clone(), c.beta_1);
        let d = mix(d, change, c.beta_2);
        let n = mix(n, ahead.square(), c.beta_3);
        let root = n.clone().sqrt();
        let root = root.mul_scalar(1.0 / memory.correction(c.beta_3).sqrt());
        let direction = m.clone().mul_scalar(1.0 / memory.correction(c.beta_1));
        let of_change = c.beta_2 / memory.correction(c.beta_2);
        let direction = direction.add(d.clone().mul_scalar(of_change));
        let step = direction.div(root.add_scalar(c.epsilon)).mul_scalar(lr);
        memory.tensors = vec![m, d, n, gradient];
        if c.no_prox {
            decayed(parameter, lr, self.weight_decay).sub(step)
        } else {
            parameter
                .sub(step)
                .mul_scalar(1.0 / (1.0 + lr * self.weight_decay))
        }
    }
}

burn_optimizer!(Adan);
