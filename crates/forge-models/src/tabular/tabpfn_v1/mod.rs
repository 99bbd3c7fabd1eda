#![doc = include_str!("README.md")]
//!
//! # From the paper to the code
//!
//! | paper (section 3, appendix) | here |
//! |---|---|
//! | encoders of a row and of its label | [`TabPfnV1`] |
//! | attention mask of a prior-data fitted network | layers of [`TabPfnV1`]: keys are labelled rows |
//! | transformer layer, feed-forward part | layers of [`TabPfnV1`] |
//! | predictive distribution | head of [`TabPfnV1`]: logits |
//! | ensemble at inference (section 4), as `transformer_predict` | [`TabPfnV1Ensemble`] |

mod config;
mod ensemble;
mod model;

pub use config::{TabPfnActivation, TabPfnV1Config};
pub use ensemble::{TabPfnV1Ensemble, TabPfnV1EnsembleConfig};
pub use model::TabPfnV1;
