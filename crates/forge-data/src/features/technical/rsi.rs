//! Relative strength index.

use serde::{Deserialize, Serialize};

use super::Change;
use crate::features::Bar;
use crate::features::average::ExponentialAverage;
use crate::features::streaming::Streaming;

/// `100·U/(U + D)` with Wilder's averages of the rises and falls of the close (Wilder 1978, "New
/// concepts in technical trading systems").
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::features) struct Rsi {
    close: Change,
    up: ExponentialAverage,
    down: ExponentialAverage,
}

impl Rsi {
    pub(in crate::features) fn new(period: u32) -> Self {
        Self {
            close: Change::default(),
            up: ExponentialAverage::wilder(period),
            down: ExponentialAverage::wilder(period),
        }
    }
}

impl Streaming for Rsi {
    fn push(&mut self, bar: &Bar) -> Option<f64> {
        let change = bar.close - self.close.push(bar.close)?;
        let up = self.up.push(change.max(0.0));
        let down = self.down.push((-change).max(0.0));
        let (up, down) = (up?, down?);
        // A close that never moved is neither strong nor weak.
        Some(if up + down > 0.0 {
            100.0 * up / (up + down)
        } else {
            50.0
        })
    }
}
