//! The exponential moving average of a module's weights.

use burn::module::Module;
use forge_nn::parameters::{Floats, lerp};
use forge_nn::{ForgeError, StateDict, check};
use serde::{Deserialize, Serialize};

use super::running_mean::another_module;

/// How weights are averaged: `{"name": "plain", "decay": 0.999}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum EmaConfig {
    /// One decay from the first step on.
    Plain(PlainEma),
    /// A decay that grows with the number of steps, so that a short run is averaged too.
    EmaPytorch(WarmupEma),
}

/// `s = d s + (1 - d) θ` after every step; the first step copies (no bias correction).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlainEma {
    /// `d`, in `[0, 1)`. Default 0.999: an average over about 1000 steps.
    pub decay: f64,
}

/// The warm-up of the `ema_pytorch` package. At call `k` (from 0): call 0 copies; calls with
/// `k % update_every != 0` do nothing; calls with `k <= update_after_step` copy; later ones take
/// `d = clamp(1 - (1 + (k - update_after_step)/inv_gamma)^-power, min_value, beta)`.
///
/// Departure: the package's defaults (`beta` 0.9999, every 10 steps, after 100) suit long runs on
/// images; ours suit runs of some hundred to some ten thousand steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WarmupEma {
    /// The highest decay, in `[0, 1)`. Default 0.999.
    pub beta: f64,
    /// Steps that are copied before averaging starts. Default 0.
    pub update_after_step: u64,
    /// Steps from one update to the next. At least 1, default 1.
    pub update_every: u64,
    /// How slowly the decay grows. Above 0, default 1.
    pub inv_gamma: f64,
    /// How fast the decay approaches 1. Above 0, default 2/3.
    pub power: f64,
    /// The lowest decay, in `0..=beta`. Default 0.
    pub min_value: f64,
}

impl Default for PlainEma {
    fn default() -> Self {
        Self { decay: 0.999 }
    }
}

impl Default for WarmupEma {
    fn default() -> Self {
        Self {
            beta: 0.999,
            update_after_step: 0,
            update_every: 1,
            inv_gamma: 1.0,
            power: 2.0 / 3.0,
            min_value: 0.0,
        }
    }
}

impl Default for EmaConfig {
    fn default() -> Self {
        Self::EmaPytorch(WarmupEma::default())
    }
}

/// What one call of [`Ema::update`] does.
enum Action {
    Skip,
    Copy,
    Average(f64),
}

impl EmaConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// A config error naming the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        match self {
            Self::Plain(c) => check::probability("ema.decay", c.decay),
            Self::EmaPytorch(c) => {
                check::probability("ema.beta", c.beta)?;
                check::in_range("ema.update_every", c.update_every, 1..)?;
                check::positive("ema.inv_gamma", c.inv_gamma)?;
                check::positive("ema.power", c.power)?;
                check::in_range("ema.min_value", c.min_value, 0.0..=c.beta)
            }
        }
    }

    fn action(&self, call: u64) -> Action {
        match self {
            _ if call == 0 => Action::Copy,
            Self::Plain(c) => Action::Average(c.decay),
            Self::EmaPytorch(c) if !call.is_multiple_of(c.update_every.max(1)) => Action::Skip,
            Self::EmaPytorch(c) if call <= c.update_after_step => Action::Copy,
            Self::EmaPytorch(c) => {
                let age = (call - c.update_after_step) as f64;
                let decay = 1.0 - (1.0 + age / c.inv_gamma).powf(-c.power);
                Action::Average(decay.max(c.min_value).min(c.beta))
            }
        }
    }
}

/// A running average of a module: its parameters and its float buffers (batch statistics), each
/// on the module's device.
///
/// Integer and boolean tensors are copied, not averaged.
#[derive(Debug)]
pub struct Ema<M> {
    config: EmaConfig,
    average: M,
    calls: u64,
}

impl<M: Module> Ema<M> {
    /// An average that starts at `module`.
    pub fn new(config: EmaConfig, module: &M) -> Self {
        Self {
            config,
            // `valid` makes the running statistics anew; a clone would share them with the module,
            // and averaging would write into the module that is being trained.
            average: module.valid(),
            calls: 0,
        }
    }

    /// Takes the module's present weights into the average. Call it once after every optimiser
    /// step.
    ///
    /// # Errors
    /// A weights error if the module has other tensors than the one that the average began with.
    pub fn update(&mut self, module: &M) -> Result<(), ForgeError> {
        match self.config.action(self.calls) {
            Action::Skip => {}
            Action::Copy => self.average = module.valid(),
            // θ + d (s - θ): in this form a frozen parameter stays as it is, to the bit.
            Action::Average(decay) => {
                self.average = lerp(module.valid(), &self.average, decay, Floats::All)
                    .map_err(another_module)?;
            }
        }
        self.calls += 1;
        Ok(())
    }

    /// The averaged module, ready for inference. It shares nothing with the average, which goes on.
    #[must_use]
    pub fn module(&self) -> M {
        self.average.valid()
    }

    /// How it averages.
    #[must_use]
    pub fn config(&self) -> &EmaConfig {
        &self.config
    }

    /// How often [`update`](Self::update) was called.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls
    }

    /// The averaged tensors by name.
    ///
    /// # Errors
    /// A weights error if a tensor cannot be read back.
    pub fn state(&self) -> Result<StateDict, ForgeError> {
        StateDict::from_module(&self.average)
    }

    /// An average that goes on from a saved [`state`](Self::state) after `calls` updates; `module`
    /// gives structure, device and parameter ids.
    ///
    /// # Errors
    /// A weights error if the state does not fit the module.
    pub fn restore(
        config: EmaConfig,
        module: &M,
        state: StateDict,
        calls: u64,
    ) -> Result<Self, ForgeError> {
        Ok(Self {
            config,
            average: state.load_into(module.valid())?,
            calls,
        })
    }
}
