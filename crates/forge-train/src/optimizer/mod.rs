//! Optimisers over whole modules: decay groups, clipping by the global norm, and state that is
//! saved by parameter name.

mod adam_w;
mod global_norm;
mod named_optimizer;
mod optimizer_config;

pub use adam_w::{AdamW, AdamWState};
pub use global_norm::{accumulate, clip_global_norm, global_norm};
pub use named_optimizer::{NamedOptimizer, OptimizerState};
pub use optimizer_config::{AdamWConfig, DecayRule, OptimizerConfig};
