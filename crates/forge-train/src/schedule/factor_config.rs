//! Factors that follow the progress of a run.

use std::f64::consts::{PI, TAU};

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

/// A factor in `[0, 1]` over the progress `t` of a run, steps made over steps planned:
/// `{"name": "flat_cos"}`. For what a schedule scales and is no learning rate: weight decay, dropout.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum FactorConfig {
    /// 1 throughout.
    #[default]
    Constant,
    /// 1, then half a cosine to 0.
    FlatCos(FlatCosFactor),
    /// Cosine waves, each twice as long as the one before.
    CosLog(CosLogFactor),
}

/// 1 for `t` up to `flat`, then `½ (1 + cos(π p))` with `p = (t - flat)/(1 - flat)`
/// (pytabkit's `flat_cos`; Holzmüller et al. 2024, arXiv 2407.04491).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FlatCosFactor {
    /// Part of the run before it falls, in `[0, 1)`. Default ½.
    pub flat: f64,
}

/// `½ (1 - cos(2π log₂(1 + (2^n - 1) t)))`: `n` waves from 0 to 1 and back, each twice as long as
/// the one before (Holzmüller et al. 2024, arXiv 2407.04491, equation 5; their `coslog4` for 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CosLogFactor {
    /// `n`, 1 to 32. Default 4.
    pub cycles: u32,
}

impl Default for FlatCosFactor {
    fn default() -> Self {
        Self { flat: 0.5 }
    }
}

impl Default for CosLogFactor {
    fn default() -> Self {
        Self { cycles: 4 }
    }
}

impl FactorConfig {
    /// Checks the fields, which are those of `field`.
    ///
    /// # Errors
    /// A config error naming the field, its value and what is allowed.
    pub fn validate(&self, field: &str) -> Result<(), ForgeError> {
        match self {
            Self::Constant => Ok(()),
            Self::FlatCos(c) => check::probability(&format!("{field}.flat"), c.flat),
            Self::CosLog(c) => check::in_range(&format!("{field}.cycles"), c.cycles, 1..=32),
        }
    }

    /// The factor of step `step` (from 0) of a run planned for `steps`; past the end that of the
    /// end.
    #[must_use]
    pub fn at(&self, step: u64, steps: u64) -> f64 {
        let t = (step as f64 / steps.max(1) as f64).min(1.0);
        match self {
            Self::Constant => 1.0,
            Self::FlatCos(c) if t <= c.flat => 1.0,
            Self::FlatCos(c) => 0.5 + 0.5 * (PI * (t - c.flat) / (1.0 - c.flat)).cos(),
            Self::CosLog(c) => {
                let octaves = (1.0 + (2f64.powi(c.cycles as i32) - 1.0) * t).log2();
                0.5 - 0.5 * (TAU * octaves).cos()
            }
        }
    }
}
