//! The columns to predict: numbers or classes, as a model learns them, and back.
//!
//! [`infer_task`] says which a column looks like, [`TargetEncoder`] learns from the training rows
//! and encodes any rows.

mod cells;
mod class;
mod encoded;
mod encoder;
mod labels;
mod manifest;
mod numeric;
mod task;
mod transform;

pub use class::ClassTarget;
pub use encoded::EncodedTargets;
pub use encoder::TargetEncoder;
pub use labels::ClassLabels;
pub use manifest::{ClassManifest, NumericTargetManifest, TargetManifest};
pub use numeric::NumericTargets;
pub use task::{InferredTask, TaskKind, infer_task};
pub use transform::TargetTransform;
