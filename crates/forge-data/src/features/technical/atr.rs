//! Average true range.

use serde::{Deserialize, Serialize};

use super::Change;
use crate::features::Bar;
use crate::features::average::ExponentialAverage;
use crate::features::streaming::Streaming;

/// Wilder's average of `max(H, Cₜ₋₁) − min(L, Cₜ₋₁)` (Wilder 1978), from the second bar on: the first
/// has no close before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::features) struct Atr {
    close: Change,
    average: ExponentialAverage,
}

impl Atr {
    pub(in crate::features) fn new(period: u32) -> Self {
        Self {
            close: Change::default(),
            average: ExponentialAverage::wilder(period),
        }
    }
}

impl Streaming for Atr {
    fn push(&mut self, bar: &Bar) -> Option<f64> {
        let before = self.close.push(bar.close)?;
        let range = bar.high.max(before) - bar.low.min(before);
        self.average.push(range)
    }
}
