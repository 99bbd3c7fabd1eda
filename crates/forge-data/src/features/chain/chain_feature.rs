//! A feature of an option chain, as data.

use serde::{Deserialize, Serialize};

use super::ChainOption;
use super::proxy::Proxies;
use crate::DataError;

/// A feature of one row of an option chain, from that row alone.
///
/// Those without a formula here are of
/// [`GreekProxiesConfig`](super::GreekProxiesConfig) and [`Greeks`](crate::market::Greeks); `k` is
/// `ln(K/F)` and `T` the time to maturity in years.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum ChainFeature {
    /// `k`.
    LogMoneyness,
    /// `k²`.
    LogMoneynessSquared,
    /// `√T`.
    SqrtTime,
    /// `ln T`.
    LogTime,
    /// `k·T`.
    LogMoneynessTime,
    /// `k·√T`.
    LogMoneynessSqrtTime,
    /// `(K/F)·√T`.
    MoneynessSqrtTime,
    /// `k/√T`.
    StandardizedMoneyness,
    /// `k²/T`.
    StandardizedMoneynessSquared,
    /// Delta from the moneyness in deviations of a volatility `vol`, above 0, up to 10.
    #[allow(missing_docs)]
    DeltaProxy { vol: f64 },
    /// The slope of that in `ln F`.
    #[allow(missing_docs)]
    GammaProxy { vol: f64 },
    /// `√T` at the money, falling off to both sides.
    #[allow(missing_docs)]
    VegaProxy { vol: f64 },
    /// The rate at which `√T` falls, falling off to both sides.
    #[allow(missing_docs)]
    ThetaProxy { vol: f64 },
    /// Black's delta of 1976, at the row's volatility.
    Delta,
    /// Black's gamma.
    Gamma,
    /// Black's vega.
    Vega,
    /// Black's theta, per year.
    Theta,
}

/// What a feature asks of an option beyond forward, strike and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::features) struct ChainNeeds {
    pub(in crate::features) option: bool,
    pub(in crate::features) vol: bool,
}

impl ChainFeature {
    /// The value; `None` if the option lacks type or volatility, or the formula has no finite value.
    ///
    /// ```
    /// use forge_data::features::{ChainFeature, ChainOption};
    /// use forge_data::market::OptionType;
    /// let option = ChainOption::new(OptionType::Put, 100.0, 80.0, 0.25);
    /// assert_eq!(ChainFeature::SqrtTime.value(&option), Some(0.5));
    /// assert_eq!(ChainFeature::Delta.value(&option), None); // no volatility
    /// ```
    #[must_use]
    pub fn value(&self, option: &ChainOption) -> Option<f64> {
        let k = option.log_moneyness();
        let time = option.time;
        let value = match *self {
            Self::LogMoneyness => k,
            Self::LogMoneynessSquared => k * k,
            Self::SqrtTime => time.sqrt(),
            Self::LogTime => time.ln(),
            Self::LogMoneynessTime => k * time,
            Self::LogMoneynessSqrtTime => k * time.sqrt(),
            Self::MoneynessSqrtTime => option.strike / option.forward * time.sqrt(),
            Self::StandardizedMoneyness => k / time.sqrt(),
            Self::StandardizedMoneynessSquared => k * k / time,
            Self::DeltaProxy { vol } => Proxies::of(option, vol).delta(option.option?),
            Self::GammaProxy { vol } => Proxies::of(option, vol).gamma(),
            Self::VegaProxy { vol } => Proxies::of(option, vol).vega(),
            Self::ThetaProxy { vol } => Proxies::of(option, vol).theta(),
            Self::Delta => option.greeks()?.delta,
            Self::Gamma => option.greeks()?.gamma,
            Self::Vega => option.greeks()?.vega,
            Self::Theta => option.greeks()?.theta,
        };
        Some(value).filter(|value| value.is_finite())
    }

    pub(in crate::features) fn needs(&self) -> ChainNeeds {
        match self {
            Self::DeltaProxy { .. } => ChainNeeds {
                option: true,
                vol: false,
            },
            Self::Delta | Self::Gamma | Self::Vega | Self::Theta => ChainNeeds {
                option: true,
                vol: true,
            },
            _ => ChainNeeds::default(),
        }
    }

    /// Checks every field.
    ///
    /// # Errors
    /// A config error naming the field, its value and the allowed range.
    pub fn validate(&self) -> Result<(), DataError> {
        match *self {
            Self::DeltaProxy { vol }
            | Self::GammaProxy { vol }
            | Self::VegaProxy { vol }
            | Self::ThetaProxy { vol }
                if !(vol > 0.0 && vol <= 10.0) =>
            {
                Err(DataError::config(format!(
                    "vol = {vol} is out of range: allowed above 0, up to 10"
                )))
            }
            _ => Ok(()),
        }
    }
}
