//! Exponential moving average of the close.

use serde::{Deserialize, Serialize};

use crate::features::Bar;
use crate::features::average::ExponentialAverage;
use crate::features::streaming::Streaming;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::features) struct MovingAverage(ExponentialAverage);

impl MovingAverage {
    pub(in crate::features) fn new(period: u32) -> Self {
        Self(ExponentialAverage::usual(period))
    }
}

impl Streaming for MovingAverage {
    fn push(&mut self, bar: &Bar) -> Option<f64> {
        self.0.push(bar.close)
    }
}
