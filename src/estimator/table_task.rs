//! A table as something to train on.

use burn::tensor::Tensor;
use forge_data::TabularDataset;
use forge_models::{Context, Model};
use forge_nn::{ForgeError, Network, Want};
use forge_train::metric::Scores;
use forge_train::objective::{Objective, ObjectiveConfig, Scale, Targets};
use forge_train::{StepContext, TrainTask};

use super::predict::predictions;
use super::training_context::{LooksAt, Step};

/// Training and validation rows on a device.
pub(super) struct TableTask {
    pub(super) train: TabularDataset,
    pub(super) validation: Option<Validation>,
    pub(super) objective: ObjectiveConfig,
    pub(super) looks_at: LooksAt,
    /// Whether the model lets the rows of a batch see each other.
    pub(super) rows_interact: bool,
    /// Sample weights of the training rows on the host; empty where all count alike.
    pub(super) weights: Vec<f64>,
}

/// Rows to validate on, without gradients.
pub(super) struct Validation {
    pub(super) rows: TabularDataset,
    /// In the targets' own units.
    pub(super) targets: Targets,
    pub(super) scales: Vec<Scale>,
    /// Target columns that never vary, and what they are predicted as.
    pub(super) constants: Vec<(usize, f64)>,
    /// On the device of the rows.
    pub(super) context: Option<Context>,
}

impl TrainTask for TableTask {
    type Module = Model;

    fn n_rows(&self) -> usize {
        self.train.len()
    }

    fn loss(
        &mut self,
        module: &Model,
        rows: &[usize],
        at: &StepContext<'_>,
    ) -> Result<Tensor<1>, ForgeError> {
        let Step { input, predicted } = self.looks_at.step(&self.train, rows, at)?;
        let lacks = || ForgeError::training("the training rows have no target");
        let target = predicted.y.ok_or_else(lacks)?;
        let forward = module.run(input, Want::PREDICTIONS);
        Ok(self.objective.loss(&forward, target, predicted.weights))
    }

    fn weight(&self, rows: &[usize]) -> f64 {
        if self.weights.is_empty() {
            rows.len() as f64
        } else {
            let sum: f64 = rows.iter().map(|row| self.weights[*row]).sum();
            // A batch of rows that count nothing has loss 0 and must not be divided by.
            sum.max(f64::MIN_POSITIVE)
        }
    }

    fn rows_interact(&self) -> bool {
        self.rows_interact
    }

    fn validate(&self, module: &Model) -> Result<Option<Scores>, ForgeError> {
        let Some(validation) = &self.validation else {
            return Ok(None);
        };
        let mut predictions = predictions(
            module,
            &validation.rows,
            validation.context.as_ref(),
            &self.objective,
            &validation.scales,
        )?;
        for (slot, value) in &validation.constants {
            predictions.pin(*slot, *value);
        }
        let scores = self.objective.scores(&predictions, &validation.targets)?;
        Ok(Some(scores))
    }
}
