//! Series in time: from the rows of a file to windows that a forecaster learns from.
//!
//! Shape letters: `B` windows of a batch, `L` steps of the lookback, `H` forecast steps (`H_max` the
//! farthest), `C` targets, `P` past covariates, `K` known covariates, `S` fixed numbers, `S_c` fixed
//! labels.

mod append;
mod build;
mod build_steps;
mod calendar;
mod config;
mod features;
mod frequency;
mod infer;
mod policies;
mod report;
mod scaler;
mod schema;
mod shown;
mod split;
mod table;
mod time_columns;
mod timetable;
mod windows;
mod zone;

pub use append::{Appended, SeriesRow};
pub use calendar::CalendarFields;
pub use config::SeriesConfig;
pub use features::{SeriesBars, SeriesFeatures};
pub use frequency::Frequency;
pub use policies::{
    AmbiguousTimes, Duplicates, FrequencyChange, Gaps, MissingValues, Stamps, Unsorted,
};
pub use report::{SeriesFinding, SeriesFindingKind, SeriesReport};
pub use scaler::{
    Centre, ColumnScaler, ScaleBy, ScalerConfig, SeriesFarOut, SeriesScale, SeriesScaler,
    SeriesTransform, UnknownSeries,
};
pub use schema::{FixedColumn, SeriesSchema};
pub use split::{Fold, SplitPart, TimeRange, TimeSplit, TrainSpan};
pub use table::SeriesTable;
pub use time_columns::{TimeColumns, TimeUnit};
pub use windows::{Horizon, ShortSeries, Window, WindowBatch, WindowConfig, Windows, last_present};
