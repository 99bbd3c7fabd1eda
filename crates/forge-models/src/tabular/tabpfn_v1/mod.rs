#![doc = include_str!("README.md")]
//!
//! # From the paper to the code
//!
//! | paper (section 3, appendix) | here |
//! |---|---|
//! | encoders of a row and of its label | [`TabPfnV1`] |
//! | attention mask of a prior-data fitted network | [`TabPfnV1Layer`]: keys are labelled rows |
//! | transformer layer, feed-forward part | [`TabPfnV1Layer`] |
//! | predictive distribution | head of [`TabPfnV1`]: logits |
//! | ensemble at inference (section 4), as `transformer_predict` | [`TabPfnV1Ensemble`] |

mod config;
mod ensemble;
mod layer;
mod model;

pub use config::{TabPfnActivation, TabPfnV1Config};
pub use ensemble::{TabPfnV1Ensemble, TabPfnV1EnsembleConfig};
pub use layer::TabPfnV1Layer;
pub use model::TabPfnV1;
