//! Technical features of bars.

mod atr;
mod bollinger;
mod config;
mod flow;
mod macd;
mod moving_average;
mod returns;
mod rsi;
mod spread;
mod trade_intensity;
mod volume;
mod vwap;

pub(super) use atr::Atr;
pub(super) use bollinger::Bollinger;
pub use config::TechnicalConfig;
pub(super) use flow::{OrderFlow, TickRule};
pub(super) use macd::{Macd, MacdSignal};
pub(super) use moving_average::MovingAverage;
pub use returns::ReturnKind;
pub(super) use returns::{Change, Returns};
pub(super) use rsi::Rsi;
pub use spread::SpreadProxy;
pub(super) use spread::{CorwinSchultz, RelativeRange};
pub use trade_intensity::Activity;
pub(super) use trade_intensity::TradeIntensity;
pub(super) use volume::{RelativeVolume, VolumeRatio};
pub use vwap::VwapSpan;
pub(super) use vwap::{Vwap, VwapDistance};
