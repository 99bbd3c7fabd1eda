//! How far a feature has come.

use std::mem::discriminant;

use serde::{Deserialize, Serialize};

use super::microstructure::QuoteFlow;
use super::streaming::Streaming;
use super::technical::{
    Atr, Bollinger, CorwinSchultz, Macd, MacdSignal, MovingAverage, OrderFlow, RelativeRange,
    RelativeVolume, Returns, Rsi, TickRule, TradeIntensity, VolumeRatio, Vwap, VwapDistance,
};
use super::volatility::{Bipower, CloseToClose, RangeVolatility, YangZhang};
use super::{Bar, BarFeature, SpreadProxy};

/// The state of one feature of bars: takes bars in one by one, each with the feature's value after it.
///
/// It is data: written as JSON and read again, it goes on as if nothing had been.
///
/// ```
/// use forge_data::features::{Bar, BarFeature, FeatureMachine};
/// let mut returns = FeatureMachine::new(&BarFeature::Returns { kind: Default::default() })?;
/// assert_eq!(returns.push(&Bar::new(1.0, 1.0, 1.0, 1.0)), None);
/// assert_eq!(returns.push(&Bar::new(1.0, 2.0, 1.0, 2.0)), Some(2f64.ln()));
/// # Ok::<(), forge_data::DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeatureMachine(State);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// Needs nothing but the bar.
    Now(BarFeature),
    Returns(Returns),
    Rsi(Rsi),
    Macd(Macd),
    MacdSignal(MacdSignal),
    Atr(Atr),
    Bollinger(Bollinger),
    MovingAverage(MovingAverage),
    VolumeRatio(VolumeRatio),
    RelativeVolume(RelativeVolume),
    Vwap(Vwap),
    VwapDistance(VwapDistance),
    OrderFlow(OrderFlow),
    TradeIntensity(TradeIntensity),
    TickRule(TickRule),
    CorwinSchultz(CorwinSchultz),
    RelativeRange(RelativeRange),
    CloseToClose(CloseToClose),
    Range(RangeVolatility),
    YangZhang(YangZhang),
    Bipower(Bipower),
    QuoteFlow(QuoteFlow),
}

impl FeatureMachine {
    /// A feature that has seen no bar.
    ///
    /// # Errors
    /// What [`BarFeature::validate`] found.
    pub fn new(feature: &BarFeature) -> Result<Self, crate::DataError> {
        use BarFeature as B;
        feature.validate()?;
        Ok(Self(match *feature {
            B::Open
            | B::High
            | B::Low
            | B::Close
            | B::LogVolume
            | B::DollarVolume
            | B::Mid
            | B::QuotedSpread
            | B::Microprice
            | B::MicropriceDistance
            | B::EffectiveSpread
            | B::OrderImbalance => State::Now(*feature),
            B::Returns { kind } => State::Returns(Returns::new(kind)),
            B::Rsi { period } => State::Rsi(Rsi::new(period)),
            B::Macd { fast, slow } => State::Macd(Macd::new(fast, slow)),
            B::MacdSignal { fast, slow, signal } => {
                State::MacdSignal(MacdSignal::new(fast, slow, signal))
            }
            B::Atr { period } => State::Atr(Atr::new(period)),
            B::Bollinger { period, width } => State::Bollinger(Bollinger::new(period, width)),
            B::Ema { period } => State::MovingAverage(MovingAverage::new(period)),
            B::VolumeRatio { period } => State::VolumeRatio(VolumeRatio::new(period)),
            B::RelativeVolume { period } => State::RelativeVolume(RelativeVolume::new(period)),
            B::Vwap { span } => State::Vwap(Vwap::new(span)),
            B::VwapDistance { span } => State::VwapDistance(VwapDistance::new(span)),
            B::OrderFlow { period } => State::OrderFlow(OrderFlow::new(period)),
            B::TradeIntensity {
                activity,
                short,
                long,
            } => State::TradeIntensity(TradeIntensity::new(activity, short, long)),
            B::TickRule => State::TickRule(TickRule::default()),
            B::Spread { proxy, period } => match proxy {
                SpreadProxy::CorwinSchultz => State::CorwinSchultz(CorwinSchultz::new(period)),
                SpreadProxy::RelativeRange => State::RelativeRange(RelativeRange::new(period)),
            },
            B::CloseToClose {
                period,
                periods_per_year,
            } => State::CloseToClose(CloseToClose::new(period, periods_per_year)),
            B::Range {
                estimator,
                period,
                periods_per_year,
            } => State::Range(RangeVolatility::new(estimator, period, periods_per_year)),
            B::YangZhang {
                period,
                periods_per_year,
            } => State::YangZhang(YangZhang::new(period, periods_per_year)),
            B::Bipower {
                period,
                periods_per_year,
            } => State::Bipower(Bipower::new(period, periods_per_year)),
            B::QuoteFlow { period } => State::QuoteFlow(QuoteFlow::new(period)),
        }))
    }

    /// Takes a bar in; the feature's value after it, always finite. `None` while there are too few
    /// bars, where the bar lacks what is needed, and where the formula has no value (a division by 0).
    ///
    /// The bar is taken as it is: [`Bar::check`] says whether it is one.
    pub fn push(&mut self, bar: &Bar) -> Option<f64> {
        let machine: &mut dyn Streaming = match &mut self.0 {
            State::Now(feature) => return now(feature, bar).filter(|value| value.is_finite()),
            State::Returns(m) => m,
            State::Rsi(m) => m,
            State::Macd(m) => m,
            State::MacdSignal(m) => m,
            State::Atr(m) => m,
            State::Bollinger(m) => m,
            State::MovingAverage(m) => m,
            State::VolumeRatio(m) => m,
            State::RelativeVolume(m) => m,
            State::Vwap(m) => m,
            State::VwapDistance(m) => m,
            State::OrderFlow(m) => m,
            State::TradeIntensity(m) => m,
            State::TickRule(m) => m,
            State::CorwinSchultz(m) => m,
            State::RelativeRange(m) => m,
            State::CloseToClose(m) => m,
            State::Range(m) => m,
            State::YangZhang(m) => m,
            State::Bipower(m) => m,
            State::QuoteFlow(m) => m,
        };
        machine.push(bar).filter(|value| value.is_finite())
    }

    /// Whether this can be a state of the same feature as `fresh`.
    pub(super) fn is_like(&self, fresh: &Self) -> bool {
        match (&self.0, &fresh.0) {
            (State::Now(a), State::Now(b)) => a == b,
            (a, b) => discriminant(a) == discriminant(b),
        }
    }
}

/// The features that need nothing but the bar.
fn now(feature: &BarFeature, bar: &Bar) -> Option<f64> {
    use BarFeature as B;
    match feature {
        B::Open => Some(bar.open),
        B::High => Some(bar.high),
        B::Low => Some(bar.low),
        B::Close => Some(bar.close),
        B::LogVolume => bar.volume.map(f64::ln_1p),
        B::DollarVolume => bar.volume.map(|volume| bar.close * volume),
        B::Mid => bar.quote.map(|quote| quote.mid()),
        B::QuotedSpread => bar.quote.map(|quote| quote.spread()),
        B::Microprice => bar.quote?.microprice(),
        B::MicropriceDistance => {
            let quote = bar.quote?;
            Some(quote.microprice()? / quote.mid() - 1.0)
        }
        B::EffectiveSpread => bar.quote.map(|quote| quote.effective_spread(bar.close)),
        B::OrderImbalance => bar.quote?.imbalance(),
        _ => None,
    }
}
