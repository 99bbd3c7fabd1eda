//! Learning one task after another without forgetting.
//!
//! [`TaskSequence`] learns the tasks of a [`ContinualTask`] with a strategy named by a
//! [`StrategyConfig`]; a strategy of one's own implements [`Strategy`]. What the strategies are made
//! of can be used by itself:
//!
//! - [`Ewc`], [`SynapticIntelligence`]: a penalty for moving the weights that old tasks need.
//! - [`Gem`], [`project_average`]: gradients that do not raise the loss of remembered samples.
//! - [`RowMemory`]: which samples are remembered.
//! - [`PackNet`]: each task takes some of the weights that are free.
//! - [`Progressive`]: each task has a column of its own that listens to the earlier ones.
//! - [`TaskScores`]: how much was learned and how much forgotten.
//! - [`DriftDetector`]: where one task ends and another begins, found in the data.

mod a_gem;
mod drift;
mod ewc;
mod gem;
mod lesson;
mod pack_net;
mod progressive;
mod row_memory;
mod sequence;
mod strategy;
mod synaptic;
mod task;
mod task_scores;

pub use a_gem::project_average;
pub use drift::{Drift, DriftConfig, DriftDetector, tasks_by_drift};
pub use ewc::{Ewc, EwcConfig, categorical_fisher, empirical_fisher};
pub use gem::{Gem, GemConfig, Projection};
pub use pack_net::{PackNet, PackNetConfig};
pub use progressive::{LateralKind, Progressive, ProgressiveColumn, ProgressiveConfig};
pub use row_memory::{Keep, RowMemory};
pub use sequence::{Learned, TaskSequence};
pub use strategy::{LessonStep, Stage, Strategy, StrategyConfig};
pub use synaptic::{SynapticConfig, SynapticIntelligence};
pub use task::{ContinualTask, Says};
pub use task_scores::TaskScores;
