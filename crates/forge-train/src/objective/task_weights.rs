//! What return and direction count.

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use crate::loss::TaskKind;

/// The factors of the losses of return and direction. In a file: a list such as `[0.6, 0.4]`, or
/// `{ rate = 0.01 }`, by which they are learnt.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TaskWeights {
    /// These, finite and at least 0, not both 0. Default 0.6 and 0.4.
    Fixed([f64; 2]),
    /// By the noise of each.
    Learned(LearnedWeights),
}

/// Weights `½ e^-s` of the return's loss and `e^-s` of the direction's with `½ s` added for each, the log
/// variances `s` learnt from 0 ([`homoscedastic`](crate::loss::homoscedastic), Kendall et al. 2018).
///
/// Each step moves `s` down its own gradient, `½ - w L`, times `rate`; the authors let the optimiser of the
/// weights do that, as [`UncertaintyWeights`](crate::loss::UncertaintyWeights) does in a loop of
/// your own.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LearnedWeights {
    /// How fast they move, in `(0, 1]`. Default 0.01.
    pub rate: f64,
}

impl Default for LearnedWeights {
    fn default() -> Self {
        Self { rate: 0.01 }
    }
}

impl Default for TaskWeights {
    fn default() -> Self {
        Self::Fixed([0.6, 0.4])
    }
}

impl TaskWeights {
    /// The factors of both losses before any step.
    pub(super) fn at_start(&self) -> [f64; 2] {
        match self {
            Self::Fixed(weights) => *weights,
            Self::Learned(_) => [TaskKind::Numbers, TaskKind::Classes].map(TaskKind::factor),
        }
    }

    pub(super) fn validate(&self) -> Result<(), ForgeError> {
        match self {
            Self::Fixed(weights) => {
                for (i, weight) in weights.iter().enumerate() {
                    let field = format!("objective.weights[{i}]");
                    check::in_range(&field, *weight, 0.0..=f64::MAX)?;
                }
                if *weights == [0.0; 2] {
                    let allowed = "above 0 for return or direction";
                    return Err(ForgeError::config("objective.weights", "[0, 0]", allowed));
                }
                Ok(())
            }
            Self::Learned(LearnedWeights { rate }) => {
                check::positive("objective.weights.rate", *rate)?;
                check::in_range("objective.weights.rate", *rate, 0.0..=1.0)
            }
        }
    }
}
