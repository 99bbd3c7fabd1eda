//! Optimisers as configured.

use forge_nn::parameters::ParameterPath;
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::{AdamW, NamedOptimizer};

/// The optimiser: `{"name": "adam_w", "weight_decay": 0.01}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum OptimizerConfig {
    /// [`AdamW`].
    AdamW(AdamWConfig),
}

/// AdamW's fields, with PyTorch's defaults. The learning rate comes from the schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamWConfig {
    /// Memory of the gradient, in `[0, 1)`. Default 0.9.
    pub beta_1: f64,
    /// Memory of the squared gradient, in `[0, 1)`. Default 0.999.
    pub beta_2: f64,
    /// Added to the root of the second moment after bias correction. Above 0, default 1e-8.
    pub epsilon: f64,
    /// Decoupled weight decay. At least 0, default 0.01.
    pub weight_decay: f64,
    /// Decay parameters of rank 0 and 1 too (biases, scales). Default false.
    pub decay_biases: bool,
    /// Parameters that never decay: those where one of these words occurs in the parameter's
    /// name, in the field that holds it or in that field's type, whatever the case. Default:
    /// `norm`, `embed`, `token`, `position`, `cls`.
    pub no_decay: Vec<String>,
}

impl Default for AdamWConfig {
    fn default() -> Self {
        Self {
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.01,
            decay_biases: false,
            no_decay: ["norm", "embed", "token", "position", "cls"]
                .map(String::from)
                .to_vec(),
        }
    }
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self::AdamW(AdamWConfig::default())
    }
}

impl OptimizerConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// A config error naming the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        let Self::AdamW(c) = self;
        check::probability("optimizer.beta_1", c.beta_1)?;
        check::probability("optimizer.beta_2", c.beta_2)?;
        check::positive("optimizer.epsilon", c.epsilon)?;
        if !(c.weight_decay.is_finite() && c.weight_decay >= 0.0) {
            let allowed = "finite and at least 0";
            return Err(ForgeError::config(
                "optimizer.weight_decay",
                c.weight_decay,
                allowed,
            ));
        }
        if let Some(i) = c.no_decay.iter().position(String::is_empty) {
            let field = format!("optimizer.no_decay[{i}]");
            return Err(ForgeError::config(&field, "\"\"", "a word"));
        }
        Ok(())
    }

    /// The optimiser, without state.
    ///
    /// # Errors
    /// What [`validate`](Self::validate) finds.
    pub fn build(&self) -> Result<NamedOptimizer, ForgeError> {
        self.validate()?;
        let Self::AdamW(c) = self;
        Ok(NamedOptimizer::new(
            AdamW::new(c, c.weight_decay),
            AdamW::new(c, 0.0),
            DecayRule::new(c.decay_biases, &c.no_decay),
        ))
    }
}

/// Which parameters weight decay applies to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecayRule {
    biases: bool,
    exempt: Vec<String>,
}

impl DecayRule {
    /// Parameters of rank 2 and above (`biases`: of any rank), but none where one of the `exempt`
    /// words occurs in the
    /// parameter's name, in the field that holds it or in that field's type.
    #[must_use]
    pub fn new(biases: bool, exempt: &[String]) -> Self {
        Self {
            biases,
            exempt: exempt.iter().map(|w| w.to_lowercase()).collect(),
        }
    }

    /// Whether the parameter of that rank at `path` decays.
    #[must_use]
    pub fn decays(&self, rank: usize, path: &ParameterPath) -> bool {
        if rank < 2 && !self.biases {
            return false;
        }
        let words = [path.name(), path.field(), path.holder()].map(str::to_lowercase);
        let exempt = |word: &String| words.iter().any(|part| part.contains(word));
        !self.exempt.iter().any(exempt)
    }
}
