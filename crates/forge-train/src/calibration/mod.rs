//! Making what a trained model says hold on rows it has not learned from.
//!
//! - [`Temperature`]: probabilities of classes that are as often right as they say.
//! - [`ConformalQuantiles`]: quantiles that as few rows lie beyond as they say.
//! - [`SplitConformal`]: intervals around numbers that hold the promised share.
//! - [`ConformalClasses`]: sets of classes that hold the promised share.
//!
//! All are fitted on calibration rows that the model has not been trained or stopped on.

mod conformal_classes;
mod conformal_quantiles;
mod conformal_rank;
mod rising;
mod split_conformal;
mod temperature;

pub use conformal_classes::{ClassScore, ConformalClasses};
pub use conformal_quantiles::ConformalQuantiles;
pub use conformal_rank::conformal_rank;
pub use rising::keep_rising;
pub use split_conformal::SplitConformal;
pub use temperature::Temperature;
