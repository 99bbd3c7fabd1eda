//! Who was in a hurry, told from prices alone.

use serde::{Deserialize, Serialize};

use super::Change;
use crate::features::Bar;
use crate::features::streaming::Streaming;
use crate::features::window::Window;

/// The sign of the last change of the close: an unchanged close keeps the sign before it (the tick
/// test; Lee and Ready 1991, "Inferring trade direction from intraday data"). Missing before the
/// first change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::features) struct TickRule {
    close: Change,
    sign: Option<f64>,
}

impl Streaming for TickRule {
    fn push(&mut self, bar: &Bar) -> Option<f64> {
        let before = self.close.push(bar.close)?;
        if bar.close > before {
            self.sign = Some(1.0);
        } else if bar.close < before {
            self.sign = Some(-1.0);
        }
        self.sign
    }
}

/// `Σ sign·V / Σ V` over the last bars, each bar's volume signed by [`TickRule`]: −1 to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::features) struct OrderFlow {
    tick: TickRule,
    signed: Window,
    volume: Window,
}

impl OrderFlow {
    pub(in crate::features) fn new(period: u32) -> Self {
        Self {
            tick: TickRule::default(),
            signed: Window::new(period),
            volume: Window::new(period),
        }
    }
}

impl Streaming for OrderFlow {
    fn push(&mut self, bar: &Bar) -> Option<f64> {
        let sign = self.tick.push(bar)?;
        let volume = bar.volume?;
        let signed = self.signed.push(sign * volume).map(Window::sum);
        let total = self.volume.push(volume).map(Window::sum);
        let (signed, total) = (signed?, total?);
        (total > 0.0).then(|| signed / total)
    }
}
