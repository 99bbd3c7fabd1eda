//! A feature of bars, as data.

use serde::{Deserialize, Serialize};

use super::technical::{Activity, ReturnKind, SpreadProxy, VwapSpan};
use super::volatility::RangeEstimator;
use crate::DataError;

/// The longest period, in bars: what a stranger's file may ask for is bounded.
const LONGEST: u32 = 100_000;

/// A feature of bars with its lengths: what is computed, not how far it has come.
///
/// The formulas are those of [`TechnicalConfig`](super::TechnicalConfig),
/// [`VolatilityConfig`](super::VolatilityConfig) and
/// [`MicrostructureConfig`](super::MicrostructureConfig). Periods count bars, 1 to 100,000, from 2 where
/// a sample variance is taken.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum BarFeature {
    /// `O`.
    Open,
    /// `H`.
    High,
    /// `L`.
    Low,
    /// `C`.
    Close,
    /// `ln(1 + V)`.
    LogVolume,
    /// From close to close.
    #[allow(missing_docs)]
    Returns { kind: ReturnKind },
    /// Relative strength index, 0 to 100.
    #[allow(missing_docs)]
    Rsi { period: u32 },
    /// `EMA_fast(C) − EMA_slow(C)`, `fast < slow`.
    #[allow(missing_docs)]
    Macd { fast: u32, slow: u32 },
    /// The exponential average of that.
    #[allow(missing_docs)]
    MacdSignal { fast: u32, slow: u32, signal: u32 },
    /// Wilder's average of the true range.
    #[allow(missing_docs)]
    Atr { period: u32 },
    /// Mean of the close plus `width` population deviations, `width` −100 to 100.
    #[allow(missing_docs)]
    Bollinger { period: u32, width: f64 },
    /// Exponential average of the close.
    #[allow(missing_docs)]
    Ema { period: u32 },
    /// Volume by its mean, this bar's included.
    #[allow(missing_docs)]
    VolumeRatio { period: u32 },
    /// Volume by the mean of those before.
    #[allow(missing_docs)]
    RelativeVolume { period: u32 },
    /// `C·V`.
    DollarVolume,
    /// Volume-weighted average price.
    #[allow(missing_docs)]
    Vwap { span: VwapSpan },
    /// `C/VWAP − 1`.
    #[allow(missing_docs)]
    VwapDistance { span: VwapSpan },
    /// Volume signed by the tick rule, by all volume.
    #[allow(missing_docs)]
    OrderFlow { period: u32 },
    /// Short average of the activity by the long one, `short < long`.
    #[allow(missing_docs)]
    TradeIntensity {
        activity: Activity,
        short: u32,
        long: u32,
    },
    /// Sign of the close's last change.
    TickRule,
    /// The spread from prices alone.
    #[allow(missing_docs)]
    Spread { proxy: SpreadProxy, period: u32 },
    /// Sample deviation of log returns.
    #[allow(missing_docs)]
    CloseToClose {
        period: u32,
        #[serde(default)]
        periods_per_year: Option<f64>,
    },
    /// Volatility from ranges.
    #[allow(missing_docs)]
    Range {
        estimator: RangeEstimator,
        period: u32,
        #[serde(default)]
        periods_per_year: Option<f64>,
    },
    /// Yang and Zhang's volatility.
    #[allow(missing_docs)]
    YangZhang {
        period: u32,
        #[serde(default)]
        periods_per_year: Option<f64>,
    },
    /// Volatility from bipower variation.
    #[allow(missing_docs)]
    Bipower {
        period: u32,
        #[serde(default)]
        periods_per_year: Option<f64>,
    },
    /// Mid of the quote.
    Mid,
    /// `(ask − bid)/mid`.
    QuotedSpread,
    /// Mid weighted by the opposite sizes.
    Microprice,
    /// `microprice/mid − 1`.
    MicropriceDistance,
    /// `2·|C − mid|/mid`.
    EffectiveSpread,
    /// `(bid_size − ask_size)/(bid_size + ask_size)`.
    OrderImbalance,
    /// Order flow imbalance at the best quote by the mean depth.
    #[allow(missing_docs)]
    QuoteFlow { period: u32 },
}

impl BarFeature {
    /// Number of bars up to and with the first that can have a value, where no bar lacks anything.
    ///
    /// ```
    /// use forge_data::features::BarFeature;
    /// assert_eq!(BarFeature::Open.warm_up(), 1);
    /// assert_eq!(BarFeature::Rsi { period: 14 }.warm_up(), 15);
    /// ```
    #[must_use]
    pub fn warm_up(&self) -> usize {
        let bars = match *self {
            Self::Returns { .. } | Self::TickRule => 2,
            Self::Rsi { period }
            | Self::Atr { period }
            | Self::RelativeVolume { period }
            | Self::OrderFlow { period }
            | Self::CloseToClose { period, .. }
            | Self::Bipower { period, .. }
            | Self::YangZhang { period, .. }
            | Self::QuoteFlow { period }
            | Self::Spread {
                proxy: SpreadProxy::CorwinSchultz,
                period,
            } => period + 1,
            Self::Bollinger { period, .. }
            | Self::Ema { period }
            | Self::VolumeRatio { period }
            | Self::Range { period, .. }
            | Self::Spread {
                proxy: SpreadProxy::RelativeRange,
                period,
            }
            | Self::Vwap {
                span: VwapSpan::Bars(period),
            }
            | Self::VwapDistance {
                span: VwapSpan::Bars(period),
            } => period,
            Self::Macd { slow, .. } => slow,
            Self::MacdSignal { slow, signal, .. } => slow + signal - 1,
            Self::TradeIntensity { long, .. } => long,
            _ => 1,
        };
        bars as usize
    }

    /// Checks every field.
    ///
    /// # Errors
    /// A config error naming the field, its value and the allowed range.
    pub fn validate(&self) -> Result<(), DataError> {
        let period = |name: &str, value: u32| within(name, value, 1, LONGEST);
        let sample = |value: u32, per_year: Option<f64>| {
            within("period", value, 2, LONGEST)?;
            annual(per_year)
        };
        match *self {
            Self::Rsi { period: p }
            | Self::Atr { period: p }
            | Self::Ema { period: p }
            | Self::VolumeRatio { period: p }
            | Self::RelativeVolume { period: p }
            | Self::OrderFlow { period: p }
            | Self::Spread { period: p, .. }
            | Self::QuoteFlow { period: p } => period("period", p),
            Self::Macd { fast, slow } => ordered("fast", fast, "slow", slow),
            Self::MacdSignal { fast, slow, signal } => {
                ordered("fast", fast, "slow", slow)?;
                period("signal", signal)
            }
            Self::Bollinger { period: p, width } => {
                period("period", p)?;
                if (-100.0..=100.0).contains(&width) {
                    Ok(())
                } else {
                    Err(DataError::config(format!(
                        "width = {width} is out of range: allowed -100 to 100"
                    )))
                }
            }
            Self::Vwap { span } | Self::VwapDistance { span } => match span {
                VwapSpan::Bars(p) => period("bars", p),
                VwapSpan::Session => Ok(()),
            },
            Self::TradeIntensity { short, long, .. } => ordered("short", short, "long", long),
            Self::CloseToClose {
                period: p,
                periods_per_year,
            }
            | Self::YangZhang {
                period: p,
                periods_per_year,
            }
            | Self::Bipower {
                period: p,
                periods_per_year,
            } => sample(p, periods_per_year),
            Self::Range {
                period: p,
                periods_per_year,
                ..
            } => {
                period("period", p)?;
                annual(periods_per_year)
            }
            _ => Ok(()),
        }
    }
}

fn within(name: &str, value: u32, low: u32, high: u32) -> Result<(), DataError> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(DataError::config(format!(
        "{name} = {value} is out of range: allowed {low} to {high}"
    )))
}

fn ordered(small: &str, low: u32, large: &str, high: u32) -> Result<(), DataError> {
    within(small, low, 1, LONGEST)?;
    within(large, high, 1, LONGEST)?;
    if low < high {
        return Ok(());
    }
    Err(DataError::config(format!(
        "{small} = {low} must be below {large} = {high}"
    )))
}

fn annual(periods_per_year: Option<f64>) -> Result<(), DataError> {
    match periods_per_year {
        Some(value) if !(value > 0.0 && value <= 1e12) => Err(DataError::config(format!(
            "periods_per_year = {value} is out of range: allowed above 0, up to 1e12, or none"
        ))),
        _ => Ok(()),
    }
}
