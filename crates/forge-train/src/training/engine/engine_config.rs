//! What an engine is made with.

use burn::tensor::Device;

use super::ParameterGroup;
use crate::optimizer::{OptimizerConfig, SamConfig};
use crate::precision::Precision;
use crate::schedule::{FactorConfig, ScheduleConfig};

/// What an [`Engine`](super::Engine) is made with.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// Where to compute. Empty: where the module is. More than one is refused for the present.
    pub devices: Vec<Device>,
    /// The optimiser of every group that has none of its own. Default AdamW.
    pub optimizer: OptimizerConfig,
    /// The learning rate of every group that has none of its own.
    pub schedule: ScheduleConfig,
    /// Take gradients where the loss is worst nearby. Default: no.
    pub sam: Option<SamConfig>,
    /// Factor on the rate of every [`Dropout`](forge_nn::regularisation::Dropout) over the steps.
    /// Default constant.
    pub dropout_schedule: FactorConfig,
    /// Steps that learning rates are planned for; more may be made. Default 1000.
    pub steps: u64,
    /// Seed of what is random in a step (dropout). Default 0.
    pub seed: u64,
    /// In which type losses and gradients are computed. F16 wants a
    /// [`LossScale`](crate::precision::LossScale) as the first rule. Default f32.
    pub precision: Precision,
    /// Whether blocks of a backbone keep their input alone and are computed again in the backward
    /// pass ([`with_recomputation`](forge_nn::with_recomputation)). Default false.
    pub gradient_checkpointing: bool,
    /// Which parameters move, and by which optimiser. Default: all, by one.
    pub groups: Vec<ParameterGroup>,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            devices: Vec::new(),
            optimizer: OptimizerConfig::default(),
            schedule: ScheduleConfig::default(),
            sam: None,
            dropout_schedule: FactorConfig::Constant,
            steps: 1000,
            seed: 0,
            precision: Precision::F32,
            gradient_checkpointing: false,
            groups: vec![ParameterGroup::all()],
        }
    }
}
