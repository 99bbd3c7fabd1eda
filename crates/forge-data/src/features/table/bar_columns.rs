//! Which columns of a table hold the bars.

use serde::{Deserialize, Serialize};

use crate::features::bar::BarField;

/// Which columns of a table hold the bars. Only those that the features need are looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BarColumns {
    /// The series a row belongs to: labels or numbers. Default: none, all rows are one series.
    pub series: Option<String>,
    /// When: dates or numbers, rising within a series. Default: none, the rows are in order.
    pub time: Option<String>,
    /// The session a row belongs to: dates, of which the day on their own clock counts, or whole
    /// numbers. Default: none, the day of `time`.
    pub session: Option<String>,
    /// Default: `open`.
    pub open: String,
    /// Default: `high`.
    pub high: String,
    /// Default: `low`.
    pub low: String,
    /// Default: `close`.
    pub close: String,
    /// Default: `volume`.
    pub volume: Option<String>,
    /// Number of trades. Default: none.
    pub trades: Option<String>,
    /// Default: `bid`.
    pub bid: Option<String>,
    /// Default: `ask`.
    pub ask: Option<String>,
    /// Default: `bid_size`.
    pub bid_size: Option<String>,
    /// Default: `ask_size`.
    pub ask_size: Option<String>,
}

impl Default for BarColumns {
    fn default() -> Self {
        let some = |name: &str| Some(name.to_owned());
        Self {
            series: None,
            time: None,
            session: None,
            open: "open".into(),
            high: "high".into(),
            low: "low".into(),
            close: "close".into(),
            volume: some("volume"),
            trades: None,
            bid: some("bid"),
            ask: some("ask"),
            bid_size: some("bid_size"),
            ask_size: some("ask_size"),
        }
    }
}

impl BarColumns {
    /// The column of a field, if it has one.
    pub(crate) fn name(&self, field: BarField) -> Option<&String> {
        match field {
            BarField::Open => Some(&self.open),
            BarField::High => Some(&self.high),
            BarField::Low => Some(&self.low),
            BarField::Close => Some(&self.close),
            BarField::Volume => self.volume.as_ref(),
            BarField::Trades => self.trades.as_ref(),
            BarField::Bid => self.bid.as_ref(),
            BarField::Ask => self.ask.as_ref(),
            BarField::BidSize => self.bid_size.as_ref(),
            BarField::AskSize => self.ask_size.as_ref(),
        }
    }
}
