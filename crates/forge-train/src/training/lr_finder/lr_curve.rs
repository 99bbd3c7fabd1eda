//! Losses over learning rates, and which rate they suggest.

use serde::{Deserialize, Serialize};

/// The loss at a rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LrPoint {
    /// The rate.
    pub lr: f64,
    /// The loss of the batch, before the step at that rate.
    pub loss: f64,
    /// The loss, smoothed over this and the lower rates: `s ← f l + (1 - f) s`, from the first loss
    /// on.
    pub smoothed: f64,
}

/// Losses over rising rates, and which rate they suggest: every suggestion is absent where the loss
/// never fell.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LrCurve {
    /// By rising rate; at least one.
    pub points: Vec<LrPoint>,
    /// Whether the sweep ended because the loss went away.
    pub diverged: bool,
}

impl LrCurve {
    /// The rate to take where nobody looks at the plot: [`valley`](Self::valley).
    #[must_use]
    pub fn suggestion(&self) -> Option<f64> {
        self.valley()
    }

    /// Where the smoothed loss falls fastest, by central differences over the logarithm of the rate
    /// (one-sided at the ends). Of equal ones the first.
    #[must_use]
    pub fn steepest(&self) -> Option<f64> {
        let loss = |i: usize| self.points[i].smoothed;
        let last = self.points.len().checked_sub(1).filter(|last| *last > 0)?;
        let slope = |i: usize| match i {
            0 => loss(1) - loss(0),
            i if i == last => loss(i) - loss(i - 1),
            i => 0.5 * (loss(i + 1) - loss(i - 1)),
        };
        let steepest = (0..=last).map(|i| (i, slope(i)));
        let (i, slope) = steepest.min_by(|a, b| a.1.total_cmp(&b.1))?;
        (slope < 0.0).then(|| self.points[i].lr)
    }

    /// In the longest falling subsequence of the smoothed loss, of `n` points that end at one point, the
    /// rate half way between a third and two thirds of the `n` points before it (fastai's `valley`).
    #[must_use]
    pub fn valley(&self) -> Option<f64> {
        // The most points that fall one after the other and end at point `i`.
        let mut lengths: Vec<usize> = Vec::with_capacity(self.points.len());
        for (i, point) in self.points.iter().enumerate() {
            let before = self.points[..i].iter().zip(&lengths);
            let longest = before
                .filter(|(earlier, _)| point.smoothed < earlier.smoothed)
                .map(|(_, length)| *length)
                .max();
            lengths.push(1 + longest.unwrap_or(0));
        }
        let longest = lengths.iter().copied().max().filter(|n| *n > 1)?;
        let end = lengths.iter().position(|n| *n == longest)?;
        let start = end.saturating_sub(longest);
        let third = (end - start) as f64 / 3.0;
        let at = start + third as usize + (third / 2.0) as usize;
        self.points.get(at).map(|point| point.lr)
    }

    /// A tenth of the rate at which the smoothed loss is least (fastai's `minimum`).
    #[must_use]
    pub fn minimum_tenth(&self) -> Option<f64> {
        let points = self.points.iter().enumerate();
        let (i, least) = points.min_by(|a, b| a.1.smoothed.total_cmp(&b.1.smoothed))?;
        (i > 0).then_some(least.lr / 10.0)
    }
}
