//! From table columns to the numbers a model sees, with statistics of the training rows only.
//!
//! [`Preprocessor::fit`] learns, [`Preprocessor::transform`] applies;
//! [`TargetEncoder`](crate::TargetEncoder) does the same for the columns to predict. See
//! `docs/preprocessing.md` for defaults and buckets.

mod categorical;
mod categorical_source;
mod config;
mod far_out;
mod features;
mod normal_quantile;
mod numeric;
mod parts;
mod preprocessor;
mod quantile_map;
mod report;
mod selection;
mod transform;
mod transform_counts;
mod transform_report;

pub use config::{CategoricalEncoding, Impute, NumericTransform, PreprocessConfig};
pub use far_out::FarOut;
pub(crate) use far_out::flat_middle;
pub use features::Features;
pub use parts::{CategoricalManifest, NumericManifest, PreprocessorManifest};
pub use preprocessor::Preprocessor;
pub use report::{DropReason, DroppedColumn, PreprocessReport, RareLabels};
pub use selection::FeatureSelection;
pub use transform_report::{LabelCells, MissingCells, TransformReport};

pub(crate) use numeric::Moments;
pub(crate) use parts::{broken, vector};
pub(crate) use preprocessor::{check_rows, too_large};

/// The row a person sees in a file (header = 1) for row `index` of a table.
pub(crate) fn seen_row(index: usize) -> u64 {
    index as u64 + 2
}
