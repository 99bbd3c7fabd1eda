//! Black's formula of 1976 for European options on a forward, its vega and its inverse.
//!
//! `C = D·(F·Φ(d₁) − K·Φ(d₂))`, `P = D·(K·Φ(−d₂) − F·Φ(−d₁))`,
//! `d₁,₂ = ln(F/K)/(σ√T) ± σ√T/2`
//!
//! with forward `F`, strike `K`, volatility `σ` (annualised, 0.2 = 20 %), time to maturity `T`
//! (years) and discount factor `D`.
//!
//! # Examples
//! ```
//! use forge_data::market::black76::{OptionType, implied_vol, price};
//! # fn main() -> Result<(), forge_data::DataError> {
//! let p = price(OptionType::Put, 100.0, 90.0, 0.25, 0.5, 0.98);
//! let vol = implied_vol(OptionType::Put, p, 100.0, 90.0, 0.5, 0.98)?;
//! assert!((vol - 0.25).abs() < 1e-13);
//! # Ok(())
//! # }
//! ```

use std::fmt::{self, Display};

use super::normalised_black;
use crate::DataError;

/// The right to buy or the right to sell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OptionType {
    /// To buy.
    Call,
    /// To sell.
    Put,
}

impl OptionType {
    /// `C` or `P`, as in option chains.
    #[must_use]
    pub fn letter(self) -> &'static str {
        match self {
            Self::Call => "C",
            Self::Put => "P",
        }
    }

    /// The type that a chain's label means: `C` or `call`, `P` or `put`, in any case of letters.
    ///
    /// ```
    /// use forge_data::market::OptionType;
    /// assert_eq!(OptionType::from_label("Put"), Some(OptionType::Put));
    /// assert_eq!(OptionType::from_label("straddle"), None);
    /// ```
    #[must_use]
    pub fn from_label(label: &str) -> Option<Self> {
        let is = |name: &str| label.trim().eq_ignore_ascii_case(name);
        if is("c") || is("call") {
            Some(Self::Call)
        } else if is("p") || is("put") {
            Some(Self::Put)
        } else {
            None
        }
    }

    /// The payoff's value if nothing moves, undiscounted.
    fn intrinsic(self, forward: f64, strike: f64) -> f64 {
        match self {
            Self::Call => (forward - strike).max(0.0),
            Self::Put => (strike - forward).max(0.0),
        }
    }
}

impl Display for OptionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.letter())
    }
}

/// Price of an option; what is in the money is added to the price of its out-of-the-money
/// counterpart, so put-call parity holds to rounding, and tiny prices keep their digits.
///
/// NaN if `forward` or `strike` is not above 0, or `vol` or `time` is negative.
#[must_use]
pub fn price(
    option: OptionType,
    forward: f64,
    strike: f64,
    vol: f64,
    time: f64,
    discount: f64,
) -> f64 {
    if !(forward > 0.0 && strike > 0.0 && vol >= 0.0 && time >= 0.0) {
        return f64::NAN;
    }
    let time_value = root(forward, strike)
        * normalised_black::price(moneyness(forward, strike), vol * time.sqrt());
    discount * (option.intrinsic(forward, strike) + time_value)
}

/// `∂price/∂σ = D·F·φ(d₁)·√T`, the same for calls and puts, for a change of the volatility by 1
/// (that is by 100 points); 0 at `vol` or `time` 0.
///
/// NaN if `forward` or `strike` is not above 0, or `vol` or `time` is negative.
#[must_use]
pub fn vega(forward: f64, strike: f64, vol: f64, time: f64, discount: f64) -> f64 {
    if !(forward > 0.0 && strike > 0.0 && vol >= 0.0 && time >= 0.0) {
        return f64::NAN;
    }
    let s = vol * time.sqrt();
    if s == 0.0 {
        return 0.0;
    }
    let slope = normalised_black::vega(moneyness(forward, strike), s);
    discount * root(forward, strike) * slope * time.sqrt()
}

/// The volatility at which [`price`] is `price`.
///
/// Exact to about 1e-13 relative, times the condition of the problem: where the price is mostly
/// intrinsic value, or nearly the most it can be, its own rounding error is what limits.
///
/// # Errors
/// A value error if `forward`, `strike`, `time` or `discount` is not finite and above 0, or no
/// volatility gives the price: it must lie strictly between the discounted intrinsic value and
/// the discounted forward (call) or strike (put).
pub fn implied_vol(
    option: OptionType,
    price: f64,
    forward: f64,
    strike: f64,
    time: f64,
    discount: f64,
) -> Result<f64, DataError> {
    for (name, value) in [
        ("forward", forward),
        ("strike", strike),
        ("time", time),
        ("discount", discount),
    ] {
        if !(value > 0.0 && value.is_finite()) {
            return Err(DataError::value(format!(
                "{name} = {value} has no implied volatility: it must be finite and above 0"
            )));
        }
    }
    let undiscounted = price / discount;
    let intrinsic = option.intrinsic(forward, strike);
    let time_value = undiscounted - intrinsic;
    let most = forward.min(strike);
    if !(time_value > 0.0 && time_value < most) {
        return Err(DataError::value(format!(
            "price {price} has no implied volatility: it must lie above {} and below {}",
            discount * intrinsic,
            discount * (intrinsic + most)
        )));
    }
    let unit = root(forward, strike);
    let x = moneyness(forward, strike);
    let s = normalised_black::implied(x, time_value / unit, (most - time_value) / unit);
    Ok(s / time.sqrt())
}

/// `ln(F/K)`.
pub(crate) fn log_ratio(forward: f64, strike: f64) -> f64 {
    let below = moneyness(forward, strike);
    if forward < strike { below } else { -below }
}

/// `−|ln(F/K)|`.
fn moneyness(forward: f64, strike: f64) -> f64 {
    let (small, large) = (forward.min(strike), forward.max(strike));
    // Near the money ln(1 + y) keeps the digits that the quotient would round away; far from it
    // the quotient is better than a difference of logarithms, as long as it does not underflow.
    let (y, quotient) = ((small - large) / large, small / large);
    if y > -0.5 {
        y.ln_1p()
    } else if quotient.is_normal() {
        quotient.ln()
    } else {
        small.ln() - large.ln()
    }
}

/// `√(F·K)` without overflow.
fn root(forward: f64, strike: f64) -> f64 {
    forward.sqrt() * strike.sqrt()
}
