//! A table as something to train on.

use burn::tensor::{Int, Tensor, TensorData};
use forge_data::TabularDataset;
use forge_models::{Context, Model};
use forge_nn::{ForgeError, Network, Want};
use forge_train::checkpoint::PartState;
use forge_train::loss::Distillation;
use forge_train::metric::Scores;
use forge_train::objective::{
    LossInput, MovingNumbers, Objective, ObjectiveConfig, Scale, Targets,
};
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
    /// What a teacher says of every training row.
    pub(super) teacher: Option<(Tensor<2>, Distillation)>,
    /// Numbers of the loss that move with the run.
    pub(super) moving: MovingNumbers,
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
        // Where a part of the batch is context, those predicted come last.
        let rows = &rows[rows.len() - target.dims()[0]..];
        let input = LossInput {
            target,
            weights: predicted.weights,
            teacher: self.teacher.as_ref().map(|(all, how)| {
                let rows: Vec<i64> = rows.iter().map(|row| *row as i64).collect();
                let rows = TensorData::new(rows.clone(), [rows.len()]);
                let rows = Tensor::<1, Int>::from_data(rows, &all.device());
                let said = all.clone().select(0, rows);
                (said.to_device(&at.device.clone().inner()), *how)
            }),
            moving: self.moving.on(at.device),
        };
        let part = self.objective.step_loss(&forward, input);
        let weight = self.weight(rows);
        self.moving.observe(part.statistics, weight, at);
        Ok(part.loss)
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

    fn after_step(&mut self, _: &Model, _: &StepContext<'_>) -> Result<Option<Model>, ForgeError> {
        self.moving.step(&self.objective);
        Ok(None)
    }

    fn observe_statistics(
        &mut self,
        module: &Model,
        rows: &[usize],
        at: &StepContext<'_>,
    ) -> Result<(), ForgeError> {
        self.loss(module, rows, at)?;
        self.moving.forget();
        Ok(())
    }

    fn state(&self) -> Result<PartState, ForgeError> {
        self.moving.state()
    }

    fn restore(&mut self, state: PartState) -> Result<(), ForgeError> {
        self.moving.restore(state)
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
