//! From a fair price to a bid and an ask.

use super::SyntheticMarketConfig;

/// What is known about an option when it is quoted.
#[derive(Debug, Clone, Copy)]
pub(super) struct FairOption {
    pub(super) price: f64,
    /// `∂price/∂σ`.
    pub(super) vega: f64,
    /// `ln(K/F)/(σ√T)`.
    pub(super) distance: f64,
    pub(super) time: f64,
}

/// Bid and ask in index points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Quote {
    pub(super) bid: f64,
    pub(super) ask: f64,
}

impl SyntheticMarketConfig {
    /// The quote, or none if the bid would be below one tick.
    ///
    /// Half the spread is `vega·h·(1 + a·d²)·(1 + b·√T)`, at least half a tick, with distance `d`,
    /// `h` = `half_spread`, `a` = `spread_wing`, `b` = `spread_term`; the centre is off the price
    /// by `noise` half-spreads times the standard normal `z`.
    pub(super) fn quote(&self, option: FairOption, z: f64) -> Option<Quote> {
        let wing = 1.0 + self.spread_wing * option.distance * option.distance;
        let term = 1.0 + self.spread_term * option.time.sqrt();
        let half = (option.vega * self.half_spread * wing * term).max(0.5 * self.tick);
        let centre = option.price + self.noise * half * z;
        let bid = ((centre - half) / self.tick).floor();
        let ask = ((centre + half) / self.tick).ceil();
        (bid >= 1.0).then(|| Quote {
            bid: on_grid(bid * self.tick),
            ask: on_grid(ask * self.tick),
        })
    }
}

/// Without the rounding error of counting ticks: 0.15, not 0.15000000000000002.
fn on_grid(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}
