//! Bollinger bands.

use serde::{Deserialize, Serialize};

use crate::features::Bar;
use crate::features::streaming::Streaming;
use crate::features::window::Window;

/// The mean of the last closes plus `width` times their population deviation (Bollinger 2001,
/// "Bollinger on Bollinger bands"): the lower band has a negative width.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::features) struct Bollinger {
    width: f64,
    window: Window,
}

impl Bollinger {
    pub(in crate::features) fn new(period: u32, width: f64) -> Self {
        Self {
            width,
            window: Window::new(period),
        }
    }
}

impl Streaming for Bollinger {
    fn push(&mut self, bar: &Bar) -> Option<f64> {
        let window = self.window.push(bar.close)?;
        Some(window.mean() + self.width * window.variance(0).sqrt())
    }
}
