//! Financial features: from bars, quotes and option chains to named columns.
//!
//! A [`FeatureSet`] says which features, with which lengths; it is a part of a model's file.
//! [`BarFeatures`] and [`ChainFeatures`] make its columns from a [`Table`](crate::Table), [`BarStream`]
//! from bars one by one; both run the same states, so they give the same bits, and a value never
//! depends on a later bar.
//!
//! The states are written here. Of the crates for technical analysis, `ta` and `yata` start averages
//! from the first value, where a value is missing here; `kand` leaves a state to its caller, and
//! `quantedge-ta` does not serialise it. None has the features of quotes, flow and spread.
//!
//! ```
//! use forge_data::features::{BarFeatures, FeatureSet};
//! use forge_data::Table;
//! let prices = Table::from_numeric(
//!     ["open", "high", "low", "close"],
//!     &[100.0, 102.0, 99.0, 101.0, 101.0, 103.0, 100.0, 102.0, 102.0, 102.5, 101.0, 101.5],
//! )?;
//! let set = FeatureSet::named("volatility")?;
//! let (features, report) = BarFeatures::new(set).apply(&prices)?;
//! assert_eq!((features.n_rows(), features.n_columns()), (3, 6));
//! assert_eq!(report.missing("parkinson_20"), 3); // 20 bars are needed
//! # Ok::<(), forge_data::DataError>(())
//! ```

mod average;
mod bar;
mod bar_feature;
mod bar_needs;
mod bar_row;
mod bar_stream;
mod chain;
mod feature;
mod feature_set;
mod machine;
mod microstructure;
mod streaming;
mod table;
mod technical;
mod volatility;
mod window;

pub use bar::{Bar, BarFault, BarField, Quote};
pub use bar_feature::BarFeature;
pub(crate) use bar_needs::Needs;
pub(crate) use bar_row::bar_of_row;
pub use bar_stream::BarStream;
pub(crate) use bar_stream::needs;
pub use chain::{ChainFeature, ChainOption, GreekProxiesConfig};
use chain::{chain_interactions_set, greeks_set};
pub use feature::{Feature, NamedFeature};
pub use feature_set::FeatureSet;
pub use machine::FeatureMachine;
pub use microstructure::MicrostructureConfig;
pub use table::{
    BadCells, BarColumns, BarFeatures, BarPanel, ChainColumns, ChainFeatures, FeatureReport,
    SkippedCells, SkippedKind,
};
pub use technical::{Activity, ReturnKind, SpreadProxy, TechnicalConfig, VwapSpan};
pub use volatility::{RangeEstimator, VolatilityConfig};
