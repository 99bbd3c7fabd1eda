//! The market's state from day to day.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::calendar::{MILLIS_PER_DAY, parse_day, trading_day};
use super::{Ssvi, SyntheticMarketConfig};
use crate::DataError;

/// Reversion speed of skew and curvature, per year: half gone in three weeks.
const SHAPE_REVERSION: f64 = 12.0;

const DT: f64 = 1.0 / 252.0;

/// One trading day of the synthetic market.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MarketDay {
    /// Milliseconds since 1970-01-01 UTC.
    pub date: i64,
    /// Index level.
    pub spot: f64,
    /// That day's volatilities.
    pub surface: VolSurface,
}

/// Volatilities without noise, over strike and maturity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VolSurface {
    /// The shape of the smiles.
    pub smile: Ssvi,
    /// Variance per year at the short end, `v`.
    pub short_variance: f64,
    /// Variance per year at the long end, `v̄`.
    pub long_variance: f64,
    /// Speed `κ` from one to the other, per year.
    pub term_speed: f64,
}

impl VolSurface {
    /// Total variance at the money, `θ(T) = v̄T + (v − v̄)(1 − e^{−κT})/κ`: increasing, since its
    /// slope lies between `v` and `v̄`.
    #[must_use]
    pub fn atm_total_variance(&self, time: f64) -> f64 {
        let faded = -(-self.term_speed * time).exp_m1() / self.term_speed;
        self.long_variance * time + (self.short_variance - self.long_variance) * faded
    }

    /// Total variance `σ²T` at log-moneyness `k = ln(K/F)` and time `T > 0` in years.
    #[must_use]
    pub fn total_variance(&self, k: f64, time: f64) -> f64 {
        self.smile.total_variance(k, self.atm_total_variance(time))
    }

    /// Implied volatility at log-moneyness `k = ln(K/F)` and time `T > 0` in years.
    #[must_use]
    pub fn vol(&self, k: f64, time: f64) -> f64 {
        (self.total_variance(k, time) / time).sqrt()
    }
}

impl SyntheticMarketConfig {
    /// The states of all trading days, without the quotes.
    ///
    /// # Errors
    /// What [`validate`](Self::validate) found.
    pub fn simulate(&self) -> Result<Vec<MarketDay>, DataError> {
        self.validate()?;
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let mut day = trading_day(parse_day(&self.start)?);
        let mut spot = self.spot.ln();
        let short = Reverting {
            mean: 2.0 * self.short_vol.ln(),
            speed: self.vol_reversion,
            vol: self.vol_of_vol,
        };
        let long = Reverting {
            mean: 2.0 * self.long_vol.ln(),
            vol: self.vol_of_vol / 3.0,
            ..short
        };
        let skew = Reverting {
            mean: self.skew.atanh(),
            speed: SHAPE_REVERSION,
            vol: self.shape_vol,
        };
        let curvature = Reverting {
            mean: (self.curvature / (1.0 - self.curvature)).ln(),
            ..skew
        };
        let mut state = [short.mean, long.mean, skew.mean, curvature.mean];
        let mut days = Vec::with_capacity(self.days as usize);
        for _ in 0..self.days {
            let rho = state[2].tanh().clamp(-0.999, 0.999);
            // Strictly inside the bound, so that rounding cannot step over it.
            let share = 1.0 / (1.0 + (-state[3]).exp());
            let eta = share.clamp(1e-3, 0.999) * Ssvi::max_eta(rho);
            let surface = VolSurface {
                smile: Ssvi::new(rho, eta, self.decay)?,
                short_variance: bounded_variance(state[0]),
                long_variance: bounded_variance(state[1]),
                term_speed: self.term_speed,
            };
            days.push(MarketDay {
                date: day * MILLIS_PER_DAY,
                spot: spot.exp(),
                surface,
            });
            let z: [f64; 5] = std::array::from_fn(|_| StandardNormal.sample(&mut rng));
            let own = (1.0 - self.leverage * self.leverage).sqrt();
            let shocks = [
                self.leverage * z[0] + own * z[1],
                self.leverage * z[0] + own * z[2],
                z[3],
                z[4],
            ];
            let variance = surface.short_variance;
            spot +=
                (self.rate - self.dividend - 0.5 * variance) * DT + (variance * DT).sqrt() * z[0];
            for ((x, process), shock) in state
                .iter_mut()
                .zip([short, long, skew, curvature])
                .zip(shocks)
            {
                *x = process.next(*x, shock);
            }
            day = trading_day(day + 1);
        }
        Ok(days)
    }
}

/// A volatility between 1 % and 500 %, whatever the config's extremes.
fn bounded_variance(log: f64) -> f64 {
    log.exp().clamp(1e-4, 25.0)
}

/// A mean-reverting Gaussian process, stepped exactly.
#[derive(Clone, Copy)]
struct Reverting {
    mean: f64,
    speed: f64,
    vol: f64,
}

impl Reverting {
    fn next(&self, x: f64, shock: f64) -> f64 {
        let stay = (-self.speed * DT).exp();
        let variance = if self.speed > 0.0 {
            -(-2.0 * self.speed * DT).exp_m1() / (2.0 * self.speed)
        } else {
            DT
        };
        self.mean + (x - self.mean) * stay + self.vol * variance.sqrt() * shock
    }
}
