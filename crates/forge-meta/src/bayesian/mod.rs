//! Networks that know how sure they are.
//!
//! - [`BayesianLinear`]: a linear layer whose weights are distributions, learned by variational
//!   inference.
//! - [`Swag`]: a Gaussian around the average of the weights that training passes through, for any
//!   module.

mod bayesian_linear;
mod swag;

pub use bayesian_linear::{BayesianLinear, BayesianLinearConfig, LinearNoise, Sampling};
pub use swag::{Swag, SwagConfig};
