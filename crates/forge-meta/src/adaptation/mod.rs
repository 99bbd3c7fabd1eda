//! Modules that learn a new task from a few samples.
//!
//! - [`Maml`]: parameters from which a few gradient steps lead to a good answer; exact meta-gradients
//!   or first-order ones, learned rates ([`MamlConfig::learn_rates`]), adaptation of some parameters
//!   alone (ANIL: [`MamlConfig::adapt`]).
//! - [`Reptile`]: the same aim without second derivatives, by averages of what training gives.
//! - [`prototypical`]: classes as means of embedded samples.
//! - [`NeuralProcess`]: predictions from a set of points, conditional, with a latent variable,
//!   or with [attention](ContextAttentionConfig) of each target to the context.
//! - [`MetaTraining`]: any of them as a run of the trainer, with its optimisers and checkpoints.
//! - [`TaskDistribution`]: where tasks come from; [`Sinusoids`] is the usual one to try,
//!   [`ClassEpisodes`] draws them from labelled rows.

mod class_episodes;
mod context_attention;
mod inner_adam;
mod maml;
mod neural_process;
mod prototypes;
mod reptile;
mod sinusoids;
mod task;
mod training;

pub use class_episodes::{ClassEpisodes, ClassEpisodesConfig};
pub use context_attention::ContextAttentionConfig;
pub use maml::{Maml, MamlConfig, MetaGradient, Order};
pub use neural_process::{
    LatentConfig, NeuralProcess, NeuralProcessConfig, NeuralProcessLoss, Normal, Points,
};
pub use prototypes::{Episode, prototypical};
pub use reptile::{InnerOptimizer, Reptile, ReptileConfig, ReptileStep};
pub use sinusoids::{Sinusoid, Sinusoids};
pub use task::{Task, TaskDistribution};
pub use training::{MamlModule, MetaLearner, MetaTraining, PerTask, ReptileLearner};
