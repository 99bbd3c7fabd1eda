//! How a network of a fit begins.

use std::path::Path;

use burn::tensor::Device;
use forge_models::{Model, ModelConfig, TabularModel, TargetKind};
use forge_nn::ModuleConfig;
use forge_nn::parameters::draw_all;
use forge_train::checkpoint::CheckpointFolder;
use forge_train::objective::Objective;

use crate::Error;
use crate::estimator::predict::features;
use crate::estimator::table_task::TableTask;

/// What the networks of a fit have in common before their first step.
pub(super) struct Beginning {
    /// Weights from elsewhere, to train further.
    pub(super) pretrained: Option<Model>,
    pub(super) target: TargetKind,
    /// Records gradients.
    pub(super) device: Device,
}

impl Beginning {
    /// A network as `seed` draws it, and `rows` made ready for its run. Where `goes_on` has checkpoints
    /// its weights come from there.
    ///
    /// # Errors
    /// What the model refuses.
    pub(super) fn network(
        &self,
        model: &ModelConfig,
        rows: &mut TableTask,
        seed: u64,
        goes_on: Option<&Path>,
    ) -> Result<Model, Error> {
        rows.begin(seed, &self.device);
        self.device.seed(seed);
        if let Some(pretrained) = &self.pretrained {
            return Ok(pretrained.clone());
        }
        let module = draw_all(model.try_init(&self.device)?);
        // What is resumed has started already.
        if goes_on.is_some_and(CheckpointFolder::has_any) {
            return Ok(module);
        }
        let first = rows.train.tensors().clone();
        let is_value = self.target == TargetKind::Numbers && rows.objective.width() == 1;
        let targets = first.y.clone().filter(|_| is_value);
        Ok(module.start_from(features(first), targets)?)
    }
}
