//! The bid-ask spread, guessed from prices.

use serde::{Deserialize, Serialize};

use crate::features::Bar;
use crate::features::streaming::Streaming;
use crate::features::window::Window;

/// How the spread is guessed from prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpreadProxy {
    /// Corwin and Schultz 2012, from the highs and lows of two bars; negative estimates are 0.
    #[default]
    CorwinSchultz,
    /// `(H − L)/C`: a range rather than a spread, but it grows with it.
    RelativeRange,
}

/// The estimate of Corwin and Schultz 2012 ("A simple way to estimate bid-ask spreads from daily high
/// and low prices", Journal of Finance 67), as a share of the price, averaged over the last pairs of
/// bars.
///
/// The range of two bars holds twice the variance of one, but the spread only once: with
/// `β = Σ ln²(H/L)` over the two bars and `γ = ln²` of their common high by their common low,
/// `α = (√(2β) − √β)/(3 − 2√2) − √(γ/(3 − 2√2))` (eq. 18), `S = 2(eᵅ − 1)/(1 + eᵅ)` (eq. 14).
/// As there, negative estimates count as 0, and a bar that opened with a gap is first moved to the
/// close before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::features) struct CorwinSchultz {
    /// High, low, close.
    previous: Option<(f64, f64, f64)>,
    estimates: Window,
}

impl CorwinSchultz {
    pub(in crate::features) fn new(period: u32) -> Self {
        Self {
            previous: None,
            estimates: Window::new(period),
        }
    }
}

impl Streaming for CorwinSchultz {
    fn push(&mut self, bar: &Bar) -> Option<f64> {
        let (high, low, close) = self.previous.replace((bar.high, bar.low, bar.close))?;
        let gap = (bar.low - close).max(0.0) + (bar.high - close).min(0.0);
        let (new_high, new_low) = (bar.high - gap, bar.low - gap);
        let square = |high: f64, low: f64| {
            let range = (high / low).ln();
            range * range
        };
        let beta = square(high, low) + square(new_high, new_low);
        let gamma = square(high.max(new_high), low.min(new_low));
        let unit = 3.0 - 2.0 * 2f64.sqrt();
        let alpha = ((2.0 * beta).sqrt() - beta.sqrt()) / unit - (gamma / unit).sqrt();
        // 2(eᵅ − 1)/(1 + eᵅ)
        let spread = 2.0 * (0.5 * alpha).tanh();
        self.estimates.push(spread.max(0.0)).map(Window::mean)
    }
}

/// `(H − L)/C`, the mean over the last bars.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::features) struct RelativeRange(Window);

impl RelativeRange {
    pub(in crate::features) fn new(period: u32) -> Self {
        Self(Window::new(period))
    }
}

impl Streaming for RelativeRange {
    fn push(&mut self, bar: &Bar) -> Option<f64> {
        let range = (bar.high - bar.low) / bar.close;
        self.0.push(range).map(Window::mean)
    }
}
