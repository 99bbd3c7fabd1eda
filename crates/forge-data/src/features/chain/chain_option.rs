//! One option of a chain.

use crate::market::{Greeks, OptionType, black76};

/// What is known of an option before its volatility, and a volatility if one is at hand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChainOption {
    /// Forward of the expiry, above 0.
    pub forward: f64,
    /// Strike, above 0.
    pub strike: f64,
    /// Time to maturity in years, above 0.
    pub time: f64,
    /// Call or put; `None` where no feature asks.
    pub option: Option<OptionType>,
    /// Discount factor to the expiry, above 0.
    pub discount: f64,
    /// Volatility, annualised, 0 or more; `None` where no feature asks.
    pub vol: Option<f64>,
}

/// A part of a [`ChainOption`] that cannot be, with its value and what would be right.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::features) struct ChainFault {
    pub(in crate::features) part: ChainPart,
    pub(in crate::features) message: String,
}

/// A part of a [`ChainOption`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::features) enum ChainPart {
    Forward,
    Strike,
    Time,
    Discount,
    Vol,
}

impl ChainOption {
    /// An option without a volatility, not discounted.
    #[must_use]
    pub fn new(option: OptionType, forward: f64, strike: f64, time: f64) -> Self {
        Self {
            forward,
            strike,
            time,
            option: Some(option),
            discount: 1.0,
            vol: None,
        }
    }

    /// With a discount factor.
    #[must_use]
    pub fn with_discount(mut self, discount: f64) -> Self {
        self.discount = discount;
        self
    }

    /// With a volatility.
    #[must_use]
    pub fn with_vol(mut self, vol: f64) -> Self {
        self.vol = Some(vol);
        self
    }

    /// `ln(K/F)`.
    #[must_use]
    pub fn log_moneyness(&self) -> f64 {
        black76::log_ratio(self.strike, self.forward)
    }

    /// The exact sensitivities; `None` without option type or volatility.
    #[must_use]
    pub fn greeks(&self) -> Option<Greeks> {
        let (option, vol) = (self.option?, self.vol?);
        Some(Greeks::of(
            option,
            self.forward,
            self.strike,
            vol,
            self.time,
            self.discount,
        ))
    }

    pub(in crate::features) fn check(&self) -> Result<(), ChainFault> {
        for (part, value) in [
            (ChainPart::Forward, self.forward),
            (ChainPart::Strike, self.strike),
            (ChainPart::Time, self.time),
            (ChainPart::Discount, self.discount),
        ] {
            if !(value > 0.0 && value.is_finite()) {
                return Err(ChainFault {
                    part,
                    message: format!("{value} is not usable: it must be above 0 and finite"),
                });
            }
        }
        match self.vol {
            Some(vol) if !(vol >= 0.0 && vol.is_finite()) => Err(ChainFault {
                part: ChainPart::Vol,
                message: format!("{vol} is no volatility: it must be finite and 0 or more"),
            }),
            _ => Ok(()),
        }
    }
}
