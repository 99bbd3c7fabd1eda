//! No schedule.

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::curve::Curve;

/// The same rate at every step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Constant {
    /// The rate. Above 0, default 1e-3.
    pub lr: f64,
}

impl Default for Constant {
    fn default() -> Self {
        Self { lr: 1e-3 }
    }
}

impl Curve for Constant {
    fn validate(&self) -> Result<(), ForgeError> {
        check::positive("schedule.lr", self.lr)
    }

    fn lr(&self, _: u64) -> f64 {
        self.lr
    }

    fn peak(&self) -> f64 {
        self.lr
    }

    fn set_peak(&mut self, peak: f64) {
        self.lr = peak;
    }
}
