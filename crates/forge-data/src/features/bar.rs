//! One bar of a price series.

use std::fmt::{self, Display};

use serde::{Deserialize, Serialize};

/// How far a bar's open and close may lie outside its range, as a share of the price: vendors round
/// the four prices apart from each other.
const ROUNDING: f64 = 1e-3;

/// Prices, sizes and counts beyond this are no market's; within it, no feature overflows.
const LARGEST: f64 = 1e100;

/// What happened in one interval of time.
///
/// ```
/// use forge_data::features::Bar;
/// let bar = Bar::new(100.0, 102.0, 99.5, 101.0).with_volume(12_000.0);
/// assert!(bar.check().is_ok());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    /// First price, above 0.
    pub open: f64,
    /// Highest price, above 0.
    pub high: f64,
    /// Lowest price, above 0.
    pub low: f64,
    /// Last price, above 0.
    pub close: f64,
    /// What was traded, in shares or contracts, 0 or more; `None` where it is not known.
    #[serde(default)]
    pub volume: Option<f64>,
    /// Number of trades, 0 or more; `None` where it is not known.
    #[serde(default)]
    pub trades: Option<f64>,
    /// The best quote at the bar's end; `None` where it is not known.
    #[serde(default)]
    pub quote: Option<Quote>,
    /// Which trading session the bar belongs to: another number is another session.
    #[serde(default)]
    pub session: Option<i64>,
}

/// The best bid and ask.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quote {
    /// Price at which one can sell, above 0.
    pub bid: f64,
    /// Price at which one can buy, at least the bid.
    pub ask: f64,
    /// Size that waits at the bid, 0 or more.
    pub bid_size: f64,
    /// Size that waits at the ask, 0 or more.
    pub ask_size: f64,
}

/// A part of a [`Bar`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // as those of the bar
pub enum BarField {
    Open,
    High,
    Low,
    Close,
    Volume,
    Trades,
    Bid,
    Ask,
    BidSize,
    AskSize,
}

impl Display for BarField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Open => "open",
            Self::High => "high",
            Self::Low => "low",
            Self::Close => "close",
            Self::Volume => "volume",
            Self::Trades => "trades",
            Self::Bid => "bid",
            Self::Ask => "ask",
            Self::BidSize => "bid_size",
            Self::AskSize => "ask_size",
        })
    }
}

/// Why a bar cannot be one.
#[derive(Debug, Clone, PartialEq)]
pub struct BarFault {
    /// What is wrong.
    pub field: BarField,
    /// Its value, and what would be right.
    pub message: String,
}

impl Bar {
    /// A bar of four prices.
    #[must_use]
    pub fn new(open: f64, high: f64, low: f64, close: f64) -> Self {
        Self {
            open,
            high,
            low,
            close,
            volume: None,
            trades: None,
            quote: None,
            session: None,
        }
    }

    /// With what was traded.
    #[must_use]
    pub fn with_volume(mut self, volume: f64) -> Self {
        self.volume = Some(volume);
        self
    }

    /// With the number of trades.
    #[must_use]
    pub fn with_trades(mut self, trades: f64) -> Self {
        self.trades = Some(trades);
        self
    }

    /// With the best quote at its end.
    #[must_use]
    pub fn with_quote(mut self, quote: Quote) -> Self {
        self.quote = Some(quote);
        self
    }

    /// With the session it belongs to.
    #[must_use]
    pub fn with_session(mut self, session: i64) -> Self {
        self.session = Some(session);
        self
    }

    /// Whether this can be a bar: prices finite and above 0, `low <= high`, open and close between
    /// them (up to a thousandth of the price, for rounding), volume, trades and sizes 0 or more,
    /// `bid <= ask`.
    ///
    /// # Errors
    /// The first field at fault, its value and what is allowed.
    pub fn check(&self) -> Result<(), BarFault> {
        use BarField as F;
        for (field, value) in [
            (F::Open, self.open),
            (F::High, self.high),
            (F::Low, self.low),
            (F::Close, self.close),
        ] {
            price(field, value)?;
        }
        if self.high < self.low {
            return Err(BarFault {
                field: F::High,
                message: format!("{} is below the bar's low of {}", self.high, self.low),
            });
        }
        for (field, value) in [(F::Open, self.open), (F::Close, self.close)] {
            let slack = ROUNDING * value;
            if value > self.high + slack || value < self.low - slack {
                return Err(BarFault {
                    field,
                    message: format!(
                        "{value} lies outside the bar's low of {} and high of {}",
                        self.low, self.high
                    ),
                });
            }
        }
        amount(F::Volume, self.volume)?;
        amount(F::Trades, self.trades)?;
        let Some(quote) = self.quote else {
            return Ok(());
        };
        price(F::Bid, quote.bid)?;
        price(F::Ask, quote.ask)?;
        amount(F::BidSize, Some(quote.bid_size))?;
        amount(F::AskSize, Some(quote.ask_size))?;
        if quote.ask < quote.bid {
            return Err(BarFault {
                field: F::Ask,
                message: format!("{} is below the bid of {}", quote.ask, quote.bid),
            });
        }
        Ok(())
    }
}

fn price(field: BarField, value: f64) -> Result<(), BarFault> {
    if (LARGEST.recip()..=LARGEST).contains(&value) {
        return Ok(());
    }
    Err(BarFault {
        field,
        message: format!("{value} is no price: it must be above 0 and finite (1e-100 to 1e100)"),
    })
}

fn amount(field: BarField, value: Option<f64>) -> Result<(), BarFault> {
    match value {
        Some(value) if !(0.0..=LARGEST).contains(&value) => Err(BarFault {
            field,
            message: format!("{value} is no amount: it must be finite and 0 or more (up to 1e100)"),
        }),
        _ => Ok(()),
    }
}
