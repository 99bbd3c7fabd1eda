//! The units of a target.

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

/// How one target column was standardised: the model learns `(y - center) / scale`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// What the model calls 0, in the target's units. Finite.
    pub center: f64,
    /// What the model calls a step of 1, in the target's units. Finite and above 0.
    pub scale: f64,
}

impl Scale {
    /// The target's own units.
    pub const IDENTITY: Self = Self {
        center: 0.0,
        scale: 1.0,
    };

    /// Checks both numbers.
    ///
    /// # Errors
    /// A config error naming the one that is out of range.
    pub fn validate(&self) -> Result<(), ForgeError> {
        if !self.center.is_finite() {
            return Err(ForgeError::config("scale.center", self.center, "finite"));
        }
        check::positive("scale.scale", self.scale)
    }

    /// A number in the target's units on the model's scale.
    #[must_use]
    pub fn standardise(&self, y: f64) -> f64 {
        (y - self.center) / self.scale
    }

    /// A model's number in the target's units.
    #[must_use]
    pub fn restore(&self, y: f64) -> f64 {
        y.mul_add(self.scale, self.center)
    }
}
