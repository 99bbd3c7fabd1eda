//! Convergence and divergence of moving averages.

use serde::{Deserialize, Serialize};

use crate::features::Bar;
use crate::features::average::ExponentialAverage;
use crate::features::streaming::Streaming;

/// The fast exponential average of the close less the slow one (Appel 2005, "Technical analysis").
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::features) struct Macd {
    fast: ExponentialAverage,
    slow: ExponentialAverage,
}

impl Macd {
    pub(in crate::features) fn new(fast: u32, slow: u32) -> Self {
        Self {
            fast: ExponentialAverage::usual(fast),
            slow: ExponentialAverage::usual(slow),
        }
    }
}

impl Streaming for Macd {
    fn push(&mut self, bar: &Bar) -> Option<f64> {
        let fast = self.fast.push(bar.close);
        let slow = self.slow.push(bar.close);
        Some(fast? - slow?)
    }
}

/// The exponential average of [`Macd`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::features) struct MacdSignal {
    macd: Macd,
    signal: ExponentialAverage,
}

impl MacdSignal {
    pub(in crate::features) fn new(fast: u32, slow: u32, signal: u32) -> Self {
        Self {
            macd: Macd::new(fast, slow),
            signal: ExponentialAverage::usual(signal),
        }
    }
}

impl Streaming for MacdSignal {
    fn push(&mut self, bar: &Bar) -> Option<f64> {
        let macd = self.macd.push(bar)?;
        self.signal.push(macd)
    }
}
