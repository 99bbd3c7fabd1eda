//! How much evidence for wrong means costs.

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

/// The factor `λ` of evidential regression's [regulariser](crate::loss::Evidence::regulariser). In a
/// file: a number, or `{ rate = 1e-4, allowed = 0.01 }`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum EvidenceWeight {
    /// This number, finite and at least 0. Default 0.01.
    Fixed(f64),
    /// Found during the run.
    Dual(DualWeight),
}

/// A factor that grows while a mean is above what is allowed and falls while it is below: the
/// multiplier of that constraint, from 0, by `rate · (mean - allowed)` per step, never below 0.
///
/// The trainer of the authors of evidential regression does this to `λ`
/// (github.com/aamini/evidential-deep-learning, `trainers/evidential.py`), where it may fall
/// below 0, which would reward evidence for wrong means.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DualWeight {
    /// How fast it moves, finite and above 0. The authors' 1e-4.
    pub rate: f64,
    /// The mean that is allowed, on the standardised scale, finite and at least 0. The authors' 0.01.
    pub allowed: f64,
}

impl Default for DualWeight {
    fn default() -> Self {
        Self {
            rate: 1e-4,
            allowed: 0.01,
        }
    }
}

impl Default for EvidenceWeight {
    fn default() -> Self {
        Self::Fixed(0.01)
    }
}

impl EvidenceWeight {
    pub(super) fn validate(&self) -> Result<(), ForgeError> {
        match self {
            Self::Fixed(weight) => {
                check::in_range("objective.evidence_weight", *weight, 0.0..=f64::MAX)
            }
            Self::Dual(dual) => {
                check::positive("objective.evidence_weight.rate", dual.rate)?;
                check::in_range(
                    "objective.evidence_weight.allowed",
                    dual.allowed,
                    0.0..=f64::MAX,
                )
            }
        }
    }
}
