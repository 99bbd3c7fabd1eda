//! Features of a table's rows.

mod append;
mod bar_columns;
mod bar_features;
mod bar_panel;
mod bar_source;
mod cells;
mod chain_columns;
mod chain_features;
mod chain_source;
mod report;
mod row_series;
mod row_times;

pub use bar_columns::BarColumns;
pub use bar_features::BarFeatures;
pub use bar_panel::BarPanel;
pub use cells::BadCells;
pub use chain_columns::ChainColumns;
pub use chain_features::ChainFeatures;
pub use report::{FeatureReport, SkippedCells, SkippedKind};
