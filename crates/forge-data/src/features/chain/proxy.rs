//! Sensitivities without Black's formula.

use super::ChainOption;
use crate::market::OptionType;

/// The slope at which the logistic function is nearest to the normal distribution: at most 0.0095 off
/// (Haley 1952).
const LOGISTIC: f64 = 1.702;

/// What a moneyness says of an option's sensitivities, with one volatility for all: no row's own
/// volatility is used, so nothing is given away where that is the target.
pub(super) struct Proxies {
    /// `Λ(−1.702·u)`, `u = ln(K/F)/(σ₀√T)`: the call's delta.
    call: f64,
    /// `Λ·(1 − Λ)`, without cancellation.
    bell: f64,
    /// `σ₀√T`.
    deviation: f64,
    time: f64,
}

impl Proxies {
    pub(super) fn of(option: &ChainOption, vol: f64) -> Self {
        let deviation = vol * option.time.sqrt();
        let x = -LOGISTIC * option.log_moneyness() / deviation;
        let small = (-x.abs()).exp();
        let (low, bell) = (small / (1.0 + small), small / (1.0 + small) / (1.0 + small));
        Self {
            call: if x < 0.0 { low } else { 1.0 - low },
            bell,
            deviation,
            time: option.time,
        }
    }

    /// `Λ` for a call, `Λ − 1` for a put.
    pub(super) fn delta(&self, option: OptionType) -> f64 {
        match option {
            OptionType::Call => self.call,
            OptionType::Put => self.call - 1.0,
        }
    }

    /// `∂δ/∂ln F = 1.702·Λ(1 − Λ)/(σ₀√T)`.
    pub(super) fn gamma(&self) -> f64 {
        LOGISTIC * self.bell / self.deviation
    }

    /// `4Λ(1 − Λ)·√T`.
    pub(super) fn vega(&self) -> f64 {
        4.0 * self.bell * self.time.sqrt()
    }

    /// `−4Λ(1 − Λ)/(2√T)`, at which `√T` falls.
    pub(super) fn theta(&self) -> f64 {
        -2.0 * self.bell / self.time.sqrt()
    }
}
