//! A loss large enough that f16 gradients do not vanish.

use burn::module::Module;
use burn::tensor::Tensor;
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::checkpoint::{PartState, RunPart};
use crate::optimizer::{is_finite, scale};
use crate::training::StepContext;
use crate::training::rule::{Decision, GradientRule, Gradients};

/// How a [`LossScale`] moves. The defaults are PyTorch's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LossScaleConfig {
    /// The first scale. Above 0, default 65536.
    pub init_scale: f64,
    /// Factor after `growth_interval` steps without overflow. Above 1, default 2.
    pub growth_factor: f64,
    /// Factor after an overflow. In `(0, 1)`, default 0.5.
    pub backoff_factor: f64,
    /// Steps in a row without overflow from one growth to the next. At least 1, default 2000.
    pub growth_interval: u64,
}

impl Default for LossScaleConfig {
    fn default() -> Self {
        Self {
            init_scale: 65536.0,
            growth_factor: 2.0,
            backoff_factor: 0.5,
            growth_interval: 2000,
        }
    }
}

impl LossScaleConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// A config error naming the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        check::positive("loss_scale.init_scale", self.init_scale)?;
        if !(self.growth_factor.is_finite() && self.growth_factor > 1.0) {
            let field = "loss_scale.growth_factor";
            return Err(ForgeError::config(field, self.growth_factor, "above 1"));
        }
        if !(self.backoff_factor > 0.0 && self.backoff_factor < 1.0) {
            let field = "loss_scale.backoff_factor";
            return Err(ForgeError::config(field, self.backoff_factor, "in (0, 1)"));
        }
        check::in_range("loss_scale.growth_interval", self.growth_interval, 1..)
    }
}

/// Multiplies the loss before the backward pass and divides the gradients by the same number after
/// it (Micikevicius et al. 2018, section 3.2), so that gradients below the range of f16 are kept. A
/// step whose gradients overflow is skipped, and the scale falls; after a number of steps without
/// overflow it rises (PyTorch's `GradScaler`).
///
/// Rules that look at the size of gradients (clipping) come after it. Reads one number back from the
/// device per step, which a GPU waits for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LossScale {
    config: LossScaleConfig,
    memory: Memory,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Memory {
    scale: f64,
    /// Steps since the scale last changed.
    steady: u64,
}

impl LossScale {
    /// At its first scale.
    ///
    /// # Errors
    /// What [`LossScaleConfig::validate`] finds.
    pub fn new(config: LossScaleConfig) -> Result<Self, ForgeError> {
        config.validate()?;
        Ok(Self {
            config,
            memory: Memory {
                scale: config.init_scale,
                steady: 0,
            },
        })
    }

    /// What the loss is multiplied by now.
    #[must_use]
    pub fn scale(&self) -> f64 {
        self.memory.scale
    }

    /// Steps without overflow since the scale last changed.
    #[must_use]
    pub fn steady(&self) -> u64 {
        self.memory.steady
    }

    /// For a loop of your own: the scale after a step whose gradients were finite, or not.
    ///
    /// # Errors
    /// A training error if the scale would fall below the range of f32: no scale helps a loss that
    /// is not finite by itself.
    pub fn update(&mut self, finite: bool) -> Result<(), ForgeError> {
        let Memory { scale, steady } = &mut self.memory;
        if !finite {
            *scale *= self.config.backoff_factor;
            *steady = 0;
            if *scale < f64::from(f32::MIN_POSITIVE) {
                return Err(ForgeError::training(format!(
                    "the loss scale fell to {scale:e} and gradients still are not finite; the \
                     loss itself is not: look at inputs and learning rate, or train in f32"
                )));
            }
            return Ok(());
        }
        *steady += 1;
        if *steady >= self.config.growth_interval {
            let grown = *scale * self.config.growth_factor;
            // The loss is scaled in f32 at the most.
            if grown <= f64::from(f32::MAX) {
                *scale = grown;
            }
            *steady = 0;
        }
        Ok(())
    }
}

impl RunPart for LossScale {
    fn name(&self) -> &str {
        "loss_scale"
    }

    fn config(&self) -> Value {
        json!(self.config)
    }

    fn state(&self) -> Result<PartState, ForgeError> {
        PartState::from_json(&self.memory)
    }

    fn restore(&mut self, state: PartState) -> Result<(), ForgeError> {
        let memory: Memory = state.into_json()?;
        if !(memory.scale.is_finite() && memory.scale > 0.0) {
            let reason = format!("a loss scale of {}", memory.scale);
            return Err(ForgeError::weights(reason));
        }
        self.memory = memory;
        Ok(())
    }
}

impl<M: Module> GradientRule<M> for LossScale {
    fn loss_factor(&self, _: &StepContext<'_>) -> f64 {
        self.memory.scale
    }

    fn apply(
        &mut self,
        module: &M,
        mut gradients: Gradients,
        _: &StepContext<'_>,
    ) -> Result<Decision, ForgeError> {
        let inverse = Tensor::from_data([1.0 / self.memory.scale], &gradients.loss.device());
        gradients.params = scale(module, gradients.params, inverse);
        let finite = is_finite(module, &gradients.params)?;
        self.update(finite)?;
        Ok(match finite {
            true => Decision::Proceed(gradients),
            false => Decision::Skip,
        })
    }
}
