//! The 25 technical features.

use serde::{Deserialize, Serialize};

use super::{Activity, ReturnKind, VwapSpan};
use crate::DataError;
use crate::features::{BarFeature, FeatureSet, SpreadProxy};

/// The lengths and conventions of the set `technical_25`. Periods count bars, 1 to 100,000; `volatility`
/// needs at least 2.
///
/// | feature | formula |
/// |---|---|
/// | `open`, `high`, `low`, `close` | as they are |
/// | `log_volume` | `ln(1 + V)` |
/// | `returns` | `ln(Cₜ/Cₜ₋₁)`, or simple |
/// | `rsi` | `100·U/(U + D)`, Wilder's averages of rises and falls; 50 if the close never moved |
/// | `macd`, `macd_signal` | `EMA_fast(C) − EMA_slow(C)`, and its EMA |
/// | `volatility` | sample deviation of the log returns |
/// | `atr` | Wilder's average of the true range |
/// | `bollinger_upper`, `_middle`, `_lower` | mean of the close, plus and less `width` population deviations |
/// | `ema_short`, `ema_long` | exponential averages of the close |
/// | `volume_ratio` | `V` by its mean over the last bars, this one among them |
/// | `relative_volume` | `V` by its mean over the bars before this one |
/// | `dollar_volume` | `C·V` |
/// | `vwap`, `vwap_distance` | `Σ V·(H + L + C)/3 / Σ V`, and `C/VWAP − 1` |
/// | `order_flow_imbalance` | `Σ sign·V / Σ V`, with the sign of `tick_rule` |
/// | `trade_intensity` | short exponential average of the activity by the long one |
/// | `tick_rule` | sign of the close's last change |
/// | `spread_proxy` | Corwin and Schultz's estimate from highs and lows, or the relative range |
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TechnicalConfig {
    /// How `returns` are counted. Default: log.
    pub returns: ReturnKind,
    /// Default: 14.
    pub rsi: u32,
    /// Shorter than `macd_slow`. Default: 12.
    pub macd_fast: u32,
    /// Default: 26.
    pub macd_slow: u32,
    /// Default: 9.
    pub macd_signal: u32,
    /// Default: 20.
    pub volatility: u32,
    /// Bars per year, to annualise `volatility` with its root: 252 for days. Default: none, the
    /// volatility is that of one bar.
    pub periods_per_year: Option<f64>,
    /// Default: 14.
    pub atr: u32,
    /// Default: 20.
    pub bollinger: u32,
    /// Deviations from the middle to a band, above 0, up to 100. Default: 2.
    pub bollinger_width: f64,
    /// Default: 12.
    pub ema_short: u32,
    /// Default: 26.
    pub ema_long: u32,
    /// Default: 20.
    pub volume_ratio: u32,
    /// Default: 50.
    pub relative_volume: u32,
    /// Default: the last 20 bars.
    pub vwap: VwapSpan,
    /// Default: 20.
    pub order_flow: u32,
    /// What `trade_intensity` counts. Default: volume.
    pub activity: Activity,
    /// Shorter than `intensity_long`. Default: 5.
    pub intensity_short: u32,
    /// Default: 50.
    pub intensity_long: u32,
    /// Default: Corwin and Schultz's.
    pub spread: SpreadProxy,
    /// Estimates of the spread that are averaged. Default: 20.
    pub spread_period: u32,
}

impl Default for TechnicalConfig {
    fn default() -> Self {
        Self {
            returns: ReturnKind::Log,
            rsi: 14,
            macd_fast: 12,
            macd_slow: 26,
            macd_signal: 9,
            volatility: 20,
            periods_per_year: None,
            atr: 14,
            bollinger: 20,
            bollinger_width: 2.0,
            ema_short: 12,
            ema_long: 26,
            volume_ratio: 20,
            relative_volume: 50,
            vwap: VwapSpan::Bars(20),
            order_flow: 20,
            activity: Activity::Volume,
            intensity_short: 5,
            intensity_long: 50,
            spread: SpreadProxy::CorwinSchultz,
            spread_period: 20,
        }
    }
}

impl TechnicalConfig {
    /// The set `technical_25`, in the order of the table above.
    ///
    /// # Errors
    /// A config error naming the feature, the field, its value and the allowed range.
    ///
    /// ```
    /// use forge_data::features::TechnicalConfig;
    /// let set = TechnicalConfig::default().feature_set()?;
    /// assert_eq!(set.count(), 25);
    /// let error = TechnicalConfig { rsi: 0, ..Default::default() }.feature_set().unwrap_err();
    /// assert_eq!(error.to_string(), "feature 'rsi': period = 0 is out of range: allowed 1 to 100000");
    /// # Ok::<(), forge_data::DataError>(())
    /// ```
    pub fn feature_set(&self) -> Result<FeatureSet, DataError> {
        use BarFeature as B;
        let band = |width: f64| B::Bollinger {
            period: self.bollinger,
            width,
        };
        let (fast, slow) = (self.macd_fast, self.macd_slow);
        FeatureSet::of_bars(
            "technical_25",
            [
                ("open", B::Open),
                ("high", B::High),
                ("low", B::Low),
                ("close", B::Close),
                ("log_volume", B::LogVolume),
                ("returns", B::Returns { kind: self.returns }),
                ("rsi", B::Rsi { period: self.rsi }),
                ("macd", B::Macd { fast, slow }),
                (
                    "macd_signal",
                    B::MacdSignal {
                        fast,
                        slow,
                        signal: self.macd_signal,
                    },
                ),
                (
                    "volatility",
                    B::CloseToClose {
                        period: self.volatility,
                        periods_per_year: self.periods_per_year,
                    },
                ),
                ("atr", B::Atr { period: self.atr }),
                ("bollinger_upper", band(self.bollinger_width)),
                ("bollinger_middle", band(0.0)),
                ("bollinger_lower", band(-self.bollinger_width)),
                (
                    "ema_short",
                    B::Ema {
                        period: self.ema_short,
                    },
                ),
                (
                    "ema_long",
                    B::Ema {
                        period: self.ema_long,
                    },
                ),
                (
                    "volume_ratio",
                    B::VolumeRatio {
                        period: self.volume_ratio,
                    },
                ),
                (
                    "relative_volume",
                    B::RelativeVolume {
                        period: self.relative_volume,
                    },
                ),
                ("dollar_volume", B::DollarVolume),
                ("vwap", B::Vwap { span: self.vwap }),
                ("vwap_distance", B::VwapDistance { span: self.vwap }),
                (
                    "order_flow_imbalance",
                    B::OrderFlow {
                        period: self.order_flow,
                    },
                ),
                (
                    "trade_intensity",
                    B::TradeIntensity {
                        activity: self.activity,
                        short: self.intensity_short,
                        long: self.intensity_long,
                    },
                ),
                ("tick_rule", B::TickRule),
                (
                    "spread_proxy",
                    B::Spread {
                        proxy: self.spread,
                        period: self.spread_period,
                    },
                ),
            ],
        )
    }
}
