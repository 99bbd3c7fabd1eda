//! Learning one task after another without forgetting.
//!
//! - [`Ewc`]: a penalty for moving the weights that old tasks need.
//! - [`Gem`]: gradients that do not raise the loss of remembered samples.
//! - [`PackNet`]: each task takes some of the weights that are free.

mod ewc;
mod gem;
mod pack_net;

pub use ewc::{Ewc, EwcConfig, categorical_fisher, empirical_fisher};
pub use gem::{Gem, GemConfig, Projection};
pub use pack_net::{PackNet, PackNetConfig};
