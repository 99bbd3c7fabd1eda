//! Volume beside what is usual.

use serde::{Deserialize, Serialize};

use crate::features::Bar;
use crate::features::streaming::Streaming;
use crate::features::window::Window;

/// Volume by the mean of the last bars, this one among them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::features) struct VolumeRatio(Window);

impl VolumeRatio {
    pub(in crate::features) fn new(period: u32) -> Self {
        Self(Window::new(period))
    }
}

impl Streaming for VolumeRatio {
    fn push(&mut self, bar: &Bar) -> Option<f64> {
        let volume = bar.volume?;
        let mean = self.0.push(volume)?.mean();
        (mean > 0.0).then(|| volume / mean)
    }
}

/// Volume by the mean of the bars before this one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::features) struct RelativeVolume(Window);

impl RelativeVolume {
    pub(in crate::features) fn new(period: u32) -> Self {
        Self(Window::new(period))
    }
}

impl Streaming for RelativeVolume {
    fn push(&mut self, bar: &Bar) -> Option<f64> {
        let volume = bar.volume?;
        let before = self.0.is_full().then(|| self.0.mean());
        self.0.push(volume);
        before.filter(|mean| *mean > 0.0).map(|mean| volume / mean)
    }
}
