//! Optimisers over whole modules: groups of parameters, gradients as one vector, and state that is
//! saved by parameter name.

mod adam;
mod adam_w;
mod adan;
mod adaptive_clip;
mod decay_rule;
mod global_norm;
mod lamb;
mod layer_decay;
mod lion;
mod muon;
mod named_optimizer;
mod optimizer_config;
mod optimizer_group;
mod optimizer_state;
mod parameter_groups;
mod path_pattern;
mod sam;
mod schedule_free;
mod sgd;
mod shared_settings;
mod step_rates;
mod update_rule;

pub use adam::{Adam, AdamConfig};
pub use adam_w::{AdamW, AdamWConfig};
pub use adan::{Adan, AdanConfig};
pub use adaptive_clip::{AdaptiveClip, clip_adaptive};
pub use decay_rule::DecayRule;
pub use global_norm::{accumulate, clip_global_norm, global_norm, is_finite, scale};
pub use lamb::{Lamb, LambConfig};
pub use layer_decay::LayerDecay;
pub use lion::{Lion, LionConfig};
pub use muon::{Muon, MuonConfig, MuonScale};
pub use named_optimizer::NamedOptimizer;
pub use optimizer_config::OptimizerConfig;
pub use optimizer_group::OptimizerGroup;
pub use optimizer_state::OptimizerState;
pub use path_pattern::PathPattern;
pub use sam::{SamConfig, ascend};
pub use schedule_free::{ScheduleFreeAdamW, ScheduleFreeAdamWConfig};
pub use sgd::{Sgd, SgdConfig};
pub use step_rates::StepRates;
pub use update_rule::{Memory, UpdateRule};
