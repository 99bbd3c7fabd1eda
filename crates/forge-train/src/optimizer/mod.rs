//! Optimisers over whole modules: groups of parameters, gradients as one vector, and state that is
//! saved by parameter name.

mod adam_w;
mod decay_rule;
mod global_norm;
mod named_optimizer;
mod optimizer_config;
mod optimizer_state;
mod parameter_groups;
mod path_pattern;
mod step_rates;

pub use adam_w::{AdamW, AdamWState};
pub use decay_rule::DecayRule;
pub use global_norm::{accumulate, clip_global_norm, global_norm, is_finite, scale};
pub use named_optimizer::NamedOptimizer;
pub use optimizer_config::{AdamWConfig, AdamWGroup, OptimizerConfig};
pub use optimizer_state::OptimizerState;
pub use path_pattern::PathPattern;
pub use step_rates::StepRates;
