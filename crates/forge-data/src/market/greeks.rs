//! How an option's price answers to its inputs.

use std::f64::consts::FRAC_1_SQRT_2;

use super::black76::{self, OptionType};

/// The exact sensitivities of Black's price of 1976 ([`black76::price`]).
///
/// With `s = σ√T`, `d₁ = ln(F/K)/s + s/2`, `r = −ln D/T`, price `V`, the normal distribution `Φ` and
/// its density `φ`:
///
/// `δ = D·Φ(d₁)` for a call, `−D·Φ(−d₁)` for a put; `γ = D·φ(d₁)/(F·s)`; `ν = D·F·φ(d₁)·√T`;
/// `θ = r·V − ν·σ/(2T)`.
///
/// Source: Black, F. (1976), "The pricing of commodity contracts", Journal of Financial Economics 3.
///
/// ```
/// use forge_data::market::{Greeks, OptionType};
/// let greeks = Greeks::of(OptionType::Call, 100.0, 100.0, 0.2, 1.0, 1.0);
/// assert!((greeks.delta - 0.539_827_837).abs() < 1e-9);
/// assert!(greeks.theta < 0.0 && greeks.gamma > 0.0 && greeks.vega > 0.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Greeks {
    /// `∂V/∂F`, the forward's, not the spot's: −1 to 1.
    pub delta: f64,
    /// `∂²V/∂F²`.
    pub gamma: f64,
    /// `∂V/∂σ`, for a change of the volatility by 1, that is by 100 points.
    pub vega: f64,
    /// `−∂V/∂T` per year, forward and interest rate kept: what a day costs is a 365th of it.
    pub theta: f64,
}

impl Greeks {
    /// The sensitivities at forward, strike, volatility (annualised, 0.2 = 20 %), time to maturity
    /// (years) and discount factor.
    ///
    /// At `vol` or `time` 0 they are the limits: a step for delta, half of it at the money; gamma 0,
    /// infinite at the money; vega 0. Theta at `time` 0, where `D` says nothing about the rate, is
    /// taken as 0.
    ///
    /// All NaN if `forward`, `strike` or `discount` is not above 0, or `vol` or `time` is negative.
    #[must_use]
    pub fn of(
        option: OptionType,
        forward: f64,
        strike: f64,
        vol: f64,
        time: f64,
        discount: f64,
    ) -> Self {
        let price = black76::price(option, forward, strike, vol, time, discount);
        if price.is_nan() || discount.is_nan() || discount <= 0.0 {
            return Self {
                delta: f64::NAN,
                gamma: f64::NAN,
                vega: f64::NAN,
                theta: f64::NAN,
            };
        }
        let sign = match option {
            OptionType::Call => 1.0,
            OptionType::Put => -1.0,
        };
        let s = vol * time.sqrt();
        let log = black76::log_ratio(forward, strike);
        let d1 = if s > 0.0 {
            log / s + 0.5 * s
        } else if log == 0.0 {
            0.0
        } else {
            f64::INFINITY.copysign(log)
        };
        let vega = black76::vega(forward, strike, vol, time, discount);
        let decay = if s > 0.0 {
            vega * vol / (2.0 * time)
        } else {
            0.0
        };
        let carry = if time > 0.0 {
            -discount.ln() / time * price
        } else {
            0.0
        };
        Self {
            delta: sign * discount * 0.5 * libm::erfc(-sign * d1 * FRAC_1_SQRT_2),
            gamma: if s > 0.0 {
                vega / forward / forward / (vol * time)
            } else if log == 0.0 {
                f64::INFINITY
            } else {
                0.0
            },
            vega,
            theta: carry - decay,
        }
    }
}
