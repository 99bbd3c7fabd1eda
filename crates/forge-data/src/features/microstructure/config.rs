//! The microstructure features.

use serde::{Deserialize, Serialize};

use crate::DataError;
use crate::features::{BarFeature, FeatureSet};

/// The set `microstructure`, of the best quote at each bar's end.
///
/// | feature | formula |
/// |---|---|
/// | `mid` | `(bid + ask)/2` |
/// | `quoted_spread` | `(ask − bid)/mid` |
/// | `microprice` | `(ask·bid_size + bid·ask_size)/(bid_size + ask_size)` |
/// | `microprice_distance` | `microprice/mid − 1` |
/// | `effective_spread` | `2·abs(close − mid)/mid` |
/// | `order_imbalance` | `(bid_size − ask_size)/(bid_size + ask_size)` |
/// | `quote_flow_imbalance` | Cont, Kukanov and Stoikov's order flow imbalance by the mean depth |
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MicrostructureConfig {
    /// Changes of the quote that `quote_flow_imbalance` sums over, 1 to 100,000. Default: 20.
    pub quote_flow: u32,
}

impl Default for MicrostructureConfig {
    fn default() -> Self {
        Self { quote_flow: 20 }
    }
}

impl MicrostructureConfig {
    /// The set `microstructure`, in the order of the table above.
    ///
    /// # Errors
    /// A config error naming the feature, the field, its value and the allowed range.
    pub fn feature_set(&self) -> Result<FeatureSet, DataError> {
        FeatureSet::of_bars(
            "microstructure",
            [
                ("mid", BarFeature::Mid),
                ("quoted_spread", BarFeature::QuotedSpread),
                ("microprice", BarFeature::Microprice),
                ("microprice_distance", BarFeature::MicropriceDistance),
                ("effective_spread", BarFeature::EffectiveSpread),
                ("order_imbalance", BarFeature::OrderImbalance),
                (
                    "quote_flow_imbalance",
                    BarFeature::QuoteFlow {
                        period: self.quote_flow,
                    },
                ),
            ],
        )
    }
}
