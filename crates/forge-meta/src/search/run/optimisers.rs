//! The optimiser of the weights and that of the architecture.

use burn::module::Module;
use burn::optim::GradientsParams;
use forge_nn::ForgeError;
use forge_train::optimizer::{
    AdamConfig, NamedOptimizer, OptimizerConfig, SgdConfig, clip_global_norm,
};

use super::SearchConfig;

/// Gradient descent with momentum and decay of every weight, as DARTS unrolls it.
pub(super) fn of_weights(config: &SearchConfig) -> Result<NamedOptimizer, ForgeError> {
    let sgd = SgdConfig {
        momentum: config.momentum,
        weight_decay: config.weight_decay,
        decay_biases: true,
        no_decay: vec![],
        ..SgdConfig::default()
    };
    OptimizerConfig::Sgd(sgd).build()
}

/// Adam; without memory of the gradient where a step leaves out some strengths, which would drift by it.
pub(super) fn of_architecture(remembers: bool) -> Result<NamedOptimizer, ForgeError> {
    let adam = AdamConfig {
        beta_1: if remembers { 0.5 } else { 0.0 },
        weight_decay: 0.0,
        ..AdamConfig::default()
    };
    OptimizerConfig::Adam(adam).build()
}

/// One step of the weights; `gradients` are of no others.
pub(super) fn step_weights<M: Module>(
    optimizer: &mut NamedOptimizer,
    config: &SearchConfig,
    module: M,
    gradients: GradientsParams,
) -> M {
    let (gradients, _) = clip_global_norm(&module, gradients, config.clip_norm);
    optimizer.step(config.weight_rate, module, gradients)
}
