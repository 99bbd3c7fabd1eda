//! Tables and series for deep learning: reading (CSV, Parquet, Excel), schema, preprocessing, splits,
//! windows over series, financial features, synthetic markets and tables drawn from a prior. Stands alone on Burn's tensors.
//!
//! Shape letters: `N` rows of a table, `B` rows of a batch, `F` features, `S` slots (one per
//! target column).

mod augment;
mod dataset;
mod error;
pub mod features;
pub mod market;
mod output;
mod preprocess;
pub mod prior;
mod read;
mod schema;
mod series;
mod split;
mod table;
mod target;

pub use augment::{Augmentation, AugmentationConfig, Mix};
pub use dataset::{TabularBatch, TabularDataset, sample_weights};
pub use error::DataError;
pub use forge_files::printable_line as printable;
pub use market::{BarMarketConfig, SyntheticMarketConfig};
pub use preprocess::{
    CategoricalEncoding, CategoricalManifest, DropReason, DroppedColumn, FarOut, FeatureSelection,
    Features, Impute, LabelCells, MissingCells, NumericManifest, NumericTransform,
    PreprocessConfig, PreprocessReport, Preprocessor, PreprocessorManifest, RareLabels,
    TransformReport,
};
pub use prior::{DrawnTable, TablePriorConfig};
pub use read::{
    ColumnReport, DuplicateNames, Finding, FindingKind, Infinite, Layout, MergedCells, Passage,
    ReadOptions, ReadReport, SavedIndex, TableFormat, read_csv_from, read_table, read_table_or,
};
pub use schema::{ColumnKind, ColumnRole, DateOrder, Decimal};
pub use series::{
    AmbiguousTimes, Appended, CalendarFields, Centre, ColumnScaler, Duplicates, FixedColumn, Fold,
    Frequency, FrequencyChange, Gaps, Horizon, MissingValues, ScaleBy, ScalerConfig, SeriesBars,
    SeriesConfig, SeriesFarOut, SeriesFeatures, SeriesFinding, SeriesFindingKind, SeriesReport,
    SeriesRow, SeriesScale, SeriesScaler, SeriesSchema, SeriesTable, SeriesTransform, ShortSeries,
    SplitPart, Stamps, TimeColumns, TimeRange, TimeSplit, TimeUnit, TrainSpan, UnknownSeries,
    Unsorted, Window, WindowBatch, WindowConfig, Windows, last_present,
};
pub use split::{DateResolution, Split, SplitConfig};
pub use table::{Categorical, Column, ColumnValues, Table};
pub use target::{
    ClassLabels, ClassManifest, ClassTarget, EncodedTargets, InferredTask, NumericTargetManifest,
    NumericTargets, TargetEncoder, TargetManifest, TargetTransform, TaskKind, infer_task,
};

/// The guides' code, compiled.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../../../docs/series.md")]
    struct Series;
    #[doc = include_str!("../../../docs/features.md")]
    struct Features;
}
