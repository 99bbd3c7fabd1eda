//! What a feature asks of a bar.

use super::BarFeature;
use super::bar::BarField;
use super::technical::{Activity, VwapSpan};

/// What a feature asks of a bar beyond its four prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Needs {
    pub(crate) volume: bool,
    pub(crate) trades: bool,
    pub(crate) quote: bool,
    pub(crate) session: bool,
}

impl Needs {
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            volume: self.volume || other.volume,
            trades: self.trades || other.trades,
            quote: self.quote || other.quote,
            session: self.session || other.session,
        }
    }

    /// The four prices and the [fields](Self::fields) besides.
    pub(crate) fn all_fields(self) -> Vec<BarField> {
        use BarField::{Close, High, Low, Open};
        let mut fields = vec![Open, High, Low, Close];
        fields.extend(self.fields());
        fields
    }

    /// The fields of the bar that this means, besides the four prices.
    pub(crate) fn fields(self) -> Vec<BarField> {
        let mut fields = Vec::new();
        if self.volume {
            fields.push(BarField::Volume);
        }
        if self.trades {
            fields.push(BarField::Trades);
        }
        if self.quote {
            use BarField::{Ask, AskSize, Bid, BidSize};
            fields.extend([Bid, Ask, BidSize, AskSize]);
        }
        fields
    }
}

impl BarFeature {
    pub(super) fn needs(&self) -> Needs {
        let session = |span: VwapSpan| span == VwapSpan::Session;
        match *self {
            Self::LogVolume
            | Self::VolumeRatio { .. }
            | Self::RelativeVolume { .. }
            | Self::DollarVolume
            | Self::OrderFlow { .. } => Needs {
                volume: true,
                ..Needs::default()
            },
            Self::Vwap { span } | Self::VwapDistance { span } => Needs {
                volume: true,
                session: session(span),
                ..Needs::default()
            },
            Self::TradeIntensity { activity, .. } => Needs {
                volume: activity == Activity::Volume,
                trades: activity == Activity::Trades,
                ..Needs::default()
            },
            Self::Mid
            | Self::QuotedSpread
            | Self::Microprice
            | Self::MicropriceDistance
            | Self::EffectiveSpread
            | Self::OrderImbalance
            | Self::QuoteFlow { .. } => Needs {
                quote: true,
                ..Needs::default()
            },
            _ => Needs::default(),
        }
    }
}
