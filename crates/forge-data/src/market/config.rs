//! The synthetic market as data.

use serde::{Deserialize, Serialize};

use super::calendar::{Listing, parse_day};
use crate::DataError;

/// A synthetic market of index options. The same config gives the same quotes, bit by bit.
///
/// **Surface.** Each day's volatilities are an [`Ssvi`](super::Ssvi) surface over the at-the-money
/// total variance `θ(T) = v̄T + (v − v̄)(1 − e^{−κT})/κ`, which grows with `T`: free of butterfly
/// and calendar-spread arbitrage on every day.
///
/// **Dynamics.** Per trading day (`dt = 1/252`), from independent standard normals: the spot's
/// log return has variance `v·dt`; `ln v` and `ln v̄` revert to their means, with shocks of
/// correlation [`leverage`](Self::leverage) to the spot's; the skew `ρ` (through `artanh`) and the
/// share of `η` in its arbitrage-free maximum (through `logit`) revert to theirs.
///
/// **Quotes.** Out-of-the-money options of each listed expiry (time to maturity ACT/365 from
/// close to close, no holidays) at round strikes. Around the Black-76 price plus noise stands a
/// spread that grows with vega, distance and maturity, rounded outwards to ticks; an option is
/// quoted only if its bid is at least one tick.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SyntheticMarketConfig {
    /// Seed of everything random. Default: 0.
    pub seed: u64,
    /// Trading days, 1 to 10 000. Default: 40.
    pub days: u32,
    /// First day, `YYYY-MM-DD` from 1970 to 2200; a weekend starts on Monday. Default: 2024-01-02.
    pub start: String,
    /// Spot on the first day, index points, 1 to 1e6. Default: 5000.
    pub spot: f64,
    /// Interest rate, continuous, −0.2 to 0.5. Default: 0.045.
    pub rate: f64,
    /// Dividend yield, continuous, −0.2 to 0.5. Default: 0.014.
    pub dividend: f64,
    /// Mean of the short-term volatility, 0.01 to 2. Default: 0.14.
    pub short_vol: f64,
    /// Mean of the long-term volatility, 0.01 to 2. Default: 0.19.
    pub long_vol: f64,
    /// Speed `κ` at which the term structure goes from short to long, per year, 0.01 to 50.
    /// Default: 3.
    pub term_speed: f64,
    /// Volatility of the logarithm of the short-term variance, per √year, 0 to 10. The long-term
    /// one has a third of it. Default: 1.8.
    pub vol_of_vol: f64,
    /// Reversion of the logarithmic variances, per year, 0 to 100. Default: 6.
    pub vol_reversion: f64,
    /// Correlation of spot and variance shocks, −1 to 1. Default: −0.75.
    pub leverage: f64,
    /// Mean of the skew `ρ`, −0.99 to 0.99. Default: −0.65.
    pub skew: f64,
    /// Mean of `η` as a share of its arbitrage-free maximum `2/(1 + |ρ|)`, 0.01 to 0.99.
    /// Default: 0.75.
    pub curvature: f64,
    /// Volatility of skew and curvature in their transformed scales, per √year, 0 to 5; they revert
    /// with speed 12. Default: 0.6.
    pub shape_vol: f64,
    /// Decay `γ` of skew and curvature with maturity, above 0, up to 0.5. Default: 0.45.
    pub decay: f64,
    /// Weekly expiries listed, 0 to 60. Default: 6.
    pub weeklies: u32,
    /// Monthly expiries listed, 0 to 60. Default: 9.
    pub monthlies: u32,
    /// Quarterly expiries listed, 0 to 40. Default: 8, two years.
    pub quarterlies: u32,
    /// Most strikes an expiry has, 2 to 1000; steps are 1, 2 or 5 times a power of ten, so it has
    /// at least 2/5 of it. Default: 55.
    pub strikes: u32,
    /// Strikes reach this many standard deviations below the forward, 0.5 to 20. Default: 4.
    pub reach_down: f64,
    /// Strikes reach this many standard deviations above the forward, 0.5 to 20. Default: 2.5.
    pub reach_up: f64,
    /// Tick, in index points, 1e-4 to 10. Default: 0.05.
    pub tick: f64,
    /// Half the bid-ask spread of an at-the-money option, in volatility, 0 to 0.2. Default: 0.001,
    /// a tenth of a point.
    pub half_spread: f64,
    /// Growth of the spread (in volatility) with the squared distance from the forward in standard
    /// deviations, 0 to 10. Default: 0.3.
    pub spread_wing: f64,
    /// Growth of the spread with √T, 0 to 10. Default: 1.
    pub spread_term: f64,
    /// Standard deviation of the noise in the quotes' centre, in half-spreads, 0 to 2. Default: 0.3.
    pub noise: f64,
    /// Adds the column `true_vol`, the volatility without noise. It gives the answer away: never a
    /// feature. Default: false.
    pub true_vol: bool,
}

impl Default for SyntheticMarketConfig {
    fn default() -> Self {
        Self {
            seed: 0,
            days: 40,
            start: "2024-01-02".into(),
            spot: 5000.0,
            rate: 0.045,
            dividend: 0.014,
            short_vol: 0.14,
            long_vol: 0.19,
            term_speed: 3.0,
            vol_of_vol: 1.8,
            vol_reversion: 6.0,
            leverage: -0.75,
            skew: -0.65,
            curvature: 0.75,
            shape_vol: 0.6,
            decay: 0.45,
            weeklies: 6,
            monthlies: 9,
            quarterlies: 8,
            strikes: 55,
            reach_down: 4.0,
            reach_up: 2.5,
            tick: 0.05,
            half_spread: 0.001,
            spread_wing: 0.3,
            spread_term: 1.0,
            noise: 0.3,
            true_vol: false,
        }
    }
}

impl SyntheticMarketConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// A config error naming the field, its value and the allowed range.
    pub fn validate(&self) -> Result<(), DataError> {
        parse_day(&self.start)?;
        for (field, value, low, high) in [
            ("days", f64::from(self.days), 1.0, 10_000.0),
            ("spot", self.spot, 1.0, 1e6),
            ("rate", self.rate, -0.2, 0.5),
            ("dividend", self.dividend, -0.2, 0.5),
            ("short_vol", self.short_vol, 0.01, 2.0),
            ("long_vol", self.long_vol, 0.01, 2.0),
            ("term_speed", self.term_speed, 0.01, 50.0),
            ("vol_of_vol", self.vol_of_vol, 0.0, 10.0),
            ("vol_reversion", self.vol_reversion, 0.0, 100.0),
            ("leverage", self.leverage, -1.0, 1.0),
            ("skew", self.skew, -0.99, 0.99),
            ("curvature", self.curvature, 0.01, 0.99),
            ("shape_vol", self.shape_vol, 0.0, 5.0),
            ("decay", self.decay, f64::MIN_POSITIVE, 0.5),
            ("weeklies", f64::from(self.weeklies), 0.0, 60.0),
            ("monthlies", f64::from(self.monthlies), 0.0, 60.0),
            ("quarterlies", f64::from(self.quarterlies), 0.0, 40.0),
            ("strikes", f64::from(self.strikes), 2.0, 1000.0),
            ("reach_down", self.reach_down, 0.5, 20.0),
            ("reach_up", self.reach_up, 0.5, 20.0),
            ("tick", self.tick, 1e-4, 10.0),
            ("half_spread", self.half_spread, 0.0, 0.2),
            ("spread_wing", self.spread_wing, 0.0, 10.0),
            ("spread_term", self.spread_term, 0.0, 10.0),
            ("noise", self.noise, 0.0, 2.0),
        ] {
            if !(low..=high).contains(&value) {
                return Err(DataError::config(format!(
                    "{field} = {value} is out of range: allowed {low} to {high}"
                )));
            }
        }
        if self.weeklies + self.monthlies + self.quarterlies == 0 {
            return Err(DataError::config(
                "weeklies, monthlies and quarterlies are all 0: at least one expiry is needed",
            ));
        }
        Ok(())
    }

    /// What to call data made from this: says that it is synthetic, and how to make it again.
    #[must_use]
    pub fn label(&self) -> String {
        format!(
            "synthetic option market (SSVI, seed {}, {} trading days from {}); not market data",
            self.seed, self.days, self.start
        )
    }

    pub(super) fn listing(&self) -> Listing {
        Listing {
            weeklies: self.weeklies,
            monthlies: self.monthlies,
            quarterlies: self.quarterlies,
        }
    }
}
