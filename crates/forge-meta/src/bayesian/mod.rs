//! Networks that know how sure they are.
//!
//! - [`BayesianLinear`]: a linear layer whose weights are distributions, learned by variational
//!   inference.
//! - [`VariationalParams`]: the same for the weights of any module.
//! - [`Swag`]: a Gaussian around the average of the weights that training passes through, for any
//!   module.
//! - [`LastLayerLaplace`] and [`LaplaceClasses`]: a Gaussian around a trained linear head, of numbers or
//!   of classes.
//! - [`Posterior`]: whatever says how sure it is, with one result, [`Predictive`]; of classes
//!   [`ClassPredictive`].

mod bayesian_linear;
mod class_predictive;
mod curvature;
mod from_predictions;
mod laplace_classes;
mod last_layer_laplace;
mod posterior;
mod predictive;
mod prior;
mod swag;
mod variational_params;

pub use bayesian_linear::{BayesianLinear, BayesianLinearConfig, LinearNoise, Sampling};
pub use class_predictive::ClassPredictive;
pub use curvature::Covariance;
pub use laplace_classes::LaplaceClasses;
pub use last_layer_laplace::LastLayerLaplace;
pub use posterior::{
    Answer, DeepEnsemble, DrawnWeights, EvidentialNetwork, Passes, Posterior, WeightDraws,
};
pub use predictive::Predictive;
pub use swag::{Swag, SwagConfig};
pub use variational_params::{VariationalConfig, VariationalParams};
