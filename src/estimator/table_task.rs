//! A table as something to train on.

use burn::tensor::Tensor;
use forge_data::{TabularBatch, TabularDataset};
use forge_models::{Context, Model, RowContext, TabularInput, TabularModel};
use forge_nn::{ForgeError, Network, Want};
use forge_train::metric::Scores;
use forge_train::objective::{Objective, ObjectiveConfig, Scale, Targets};
use forge_train::{StepContext, TrainTask};

use super::predict::{features, predictions};

/// Training and validation rows on a device.
pub(super) struct TableTask {
    pub(super) train: TabularDataset,
    pub(super) validation: Option<Validation>,
    pub(super) objective: ObjectiveConfig,
    /// What the model looks at beside a row.
    pub(super) rows: RowContext,
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

impl TableTask {
    fn batch(&self, rows: &[usize], at: &StepContext<'_>) -> TabularBatch {
        self.train.batch_on(rows, at.device)
    }

    /// What the model is given of `rows`, and which of them it predicts: all, or the second half
    /// with the first as labelled context.
    fn input(&self, rows: &[usize], at: &StepContext<'_>) -> Result<Split, ForgeError> {
        let (context, predicted) = match self.rows {
            RowContext::Labelled => {
                if rows.len() < 2 {
                    let what = "a batch of one row leaves none to predict from";
                    return Err(ForgeError::training(format!(
                        "{what}: set batch_size to 2 or more"
                    )));
                }
                let (context, predicted) = rows.split_at(rows.len() / 2);
                let batch = self.batch(context, at);
                let target = batch.y.clone();
                let rows = features(batch);
                (Some(Context { rows, target }), predicted)
            }
            RowContext::Alone | RowContext::Neighbours => (None, rows),
        };
        let batch = self.batch(predicted, at);
        let lacks = || ForgeError::training("the training rows have no target");
        Ok(Split {
            target: batch.y.clone().ok_or_else(lacks)?,
            weights: batch.weights.clone(),
            input: TabularInput {
                rows: features(batch),
                context,
            },
        })
    }
}

struct Split {
    input: TabularInput,
    target: Tensor<2>,
    weights: Option<Tensor<1>>,
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
        let split = self.input(rows, at)?;
        debug_assert_eq!(module.capabilities().rows, self.rows);
        let forward = module.run(split.input, Want::PREDICTIONS);
        Ok(self.objective.loss(&forward, split.target, split.weights))
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
        self.rows != RowContext::Alone
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
