//! AdamW without a schedule.

use burn::tensor::Tensor;
use forge_nn::{ForgeError, check};

use super::shared_settings::{betas, not_negative, optimizer_config};
use super::update_rule::burn_optimizer;
use super::{Memory, UpdateRule};

optimizer_config! {
    /// [`ScheduleFreeAdamW`]'s fields, with the authors' defaults. Its averaging stands in for a
    /// falling rate: take it with a constant schedule, or one that only warms up.
    pub struct ScheduleFreeAdamWConfig {
        /// Where gradients are taken between the fast weights (0) and their average (1). In
        /// `(0, 1)`, default 0.9.
        pub beta_1: f64 = 0.9,
        /// Memory of the squared gradient, in `[0, 1)`. Default 0.999.
        pub beta_2: f64 = 0.999,
        /// Added to the root after bias correction. Above 0, default 1e-8.
        pub epsilon: f64 = 1e-8,
        /// `r`: step `t` counts `t^r` in the average. At least 0, default 0.
        pub r: f64 = 0.0,
        /// Step `t` counts also the highest rate so far to this power, so that a warm-up counts
        /// little. At least 0, default 2.
        pub weight_lr_power: f64 = 2.0,
    }
    weight_decay = 0.0;
    /// Decay, taken where the gradient is. At least 0, default 0.
}

impl ScheduleFreeAdamWConfig {
    pub(super) fn validate(&self) -> Result<(), ForgeError> {
        betas(&[("beta_1", self.beta_1), ("beta_2", self.beta_2)])?;
        // The average is computed back from the weights by a division by it.
        check::positive("optimizer.beta_1", self.beta_1)?;
        check::positive("optimizer.epsilon", self.epsilon)?;
        not_negative("optimizer.r", self.r)?;
        not_negative("optimizer.weight_lr_power", self.weight_lr_power)
    }
}

/// Schedule-free AdamW (Defazio et al. 2024, algorithm 1, as in the authors' code). With fast weights
/// `z`, their average `x`, and gradients taken at `y = β₁ x + (1 - β₁) z`, which is what the module
/// holds in training:
///
/// ```text
/// v ← β₂ v + (1 - β₂) g²     u = g/(√(v/(1 - β₂ᵗ)) + ε) + wd·y
/// c = w/Σw, w = tʳ · (highest lr)^p
/// y ← y + c (z - y) + lr (β₁ (1 - c) - 1) u        z ← z - lr u
/// ```
///
/// What is validated and returned is the average, `x = y + (1 - 1/β₁)(z - y)`.
#[derive(Debug, Clone)]
pub struct ScheduleFreeAdamW {
    config: ScheduleFreeAdamWConfig,
    weight_decay: f64,
}

impl ScheduleFreeAdamW {
    /// One optimiser with the numbers of `config` and a weight decay of its own.
    #[must_use]
    pub fn new(config: &ScheduleFreeAdamWConfig, weight_decay: f64) -> Self {
        Self {
            config: config.clone(),
            weight_decay,
        }
    }

    /// The average that belongs to a parameter in training.
    #[must_use]
    pub fn average<const D: usize>(
        config: &ScheduleFreeAdamWConfig,
        parameter: Tensor<D>,
        memory: &Memory<Self, D>,
    ) -> Tensor<D> {
        match memory.tensors.first() {
            Some(fast) => towards(parameter, fast, 1.0 - 1.0 / config.beta_1),
            None => parameter,
        }
    }
}

/// `from + share · (to - from)`.
fn towards<const D: usize>(from: Tensor<D>, to: &Tensor<D>, share: f64) -> Tensor<D> {
    let way = to.clone().sub(from.clone());
    from.add(way.mul_scalar(share))
}

impl UpdateRule for ScheduleFreeAdamW {
    const TENSORS: &'static [&'static str] = &["z", "exp_avg_sq"];
    const NUMBERS: &'static [&'static str] = &["weight_sum", "highest_lr"];

    fn start<const D: usize>(&self, parameter: &Tensor<D>) -> Vec<Tensor<D>> {
        vec![parameter.clone(), parameter.zeros_like()]
    }

    fn update<const D: usize>(
        &self,
        lr: f64,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        memory: &mut Memory<Self, D>,
    ) -> Tensor<D> {
        let c = &self.config;
        let [fast, square] = memory.take();
        let new = gradient.clone().square().mul_scalar(1.0 - c.beta_2);
        let square = square.mul_scalar(c.beta_2).add(new);
        let corrected = square.clone().mul_scalar(1.0 / memory.correction(c.beta_2));
        let update = gradient.div(corrected.sqrt().add_scalar(c.epsilon));
        let update = update.add(parameter.clone().mul_scalar(self.weight_decay));

        let [sum, highest] = [memory.numbers[0], memory.numbers[1].max(lr)];
        let weight = (memory.step as f64).powf(c.r) * highest.powf(c.weight_lr_power);
        let sum = sum + weight;
        // Steps at a rate of 0, as a warm-up may begin with, count nothing.
        let share = if sum > 0.0 { weight / sum } else { 0.0 };

        let moved = towards(parameter, &fast, share);
        let along = lr * (c.beta_1 * (1.0 - share) - 1.0);
        let parameter = moved.add(update.clone().mul_scalar(along));
        memory.tensors = vec![fast.sub(update.mul_scalar(lr)), square];
        memory.numbers = vec![sum, highest];
        parameter
    }
}

burn_optimizer!(ScheduleFreeAdamW);
