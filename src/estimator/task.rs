//! A table as something to train on.

use burn::tensor::{Device, Tensor};
use forge_data::{TabularBatch, TabularDataset};
use forge_models::{Model, TabularInput};
use forge_nn::ForgeError;
use forge_train::loss::{LossConfig, RegressionLoss};
use forge_train::metric::{RegressionMetrics, Scores};
use forge_train::{StepContext, TrainTask};

/// Rows a forward pass takes when nothing is learnt from them: bounds memory, whatever the table.
const ROWS_A_PASS: usize = 1024;

/// Training and validation rows on a device.
pub(super) struct TableTask {
    pub(super) train: TabularDataset,
    pub(super) validation: Option<Validation>,
    pub(super) loss: LossConfig,
}

/// Rows to validate on, without gradients.
pub(super) struct Validation {
    pub(super) rows: TabularDataset,
    /// In the target's unit.
    pub(super) target: Vec<f64>,
    pub(super) scale: forge_data::TargetTransform,
}

impl TrainTask for TableTask {
    type Module = Model;

    fn n_rows(&self) -> usize {
        self.train.len()
    }

    fn loss(
        &mut self,
        module: &Self::Module,
        rows: &[usize],
        _: &StepContext<'_>,
    ) -> Result<Tensor<1>, ForgeError> {
        let batch = self.train.batch(rows);
        let target = batch
            .y
            .clone()
            .ok_or_else(|| ForgeError::training("the training rows have no target"))?;
        let predicted = module.forward(input(batch));
        Ok(self.loss.mean(predicted, target))
    }

    fn validate(&self, module: &Self::Module) -> Result<Option<Scores>, ForgeError> {
        let Some(validation) = &self.validation else {
            return Ok(None);
        };
        let predicted = predict(module, &validation.rows)?;
        let predicted = validation.scale.inverse(&predicted);
        let metrics = RegressionMetrics::compute(&predicted, &validation.target)?;
        Ok(Some(Scores::new().minimize("rmse", metrics.rmse)))
    }
}

/// The model's outputs for all rows, in order, on the standardised scale.
pub(super) fn predict(module: &Model, rows: &TabularDataset) -> Result<Vec<f32>, ForgeError> {
    let mut all = Vec::with_capacity(rows.len());
    for start in (0..rows.len()).step_by(ROWS_A_PASS) {
        let batch = rows.range(start..(start + ROWS_A_PASS).min(rows.len()));
        let output = module.forward(input(batch)).into_data().convert::<f32>();
        let values = output
            .try_into_vec::<f32>()
            .map_err(|e| ForgeError::training(format!("predictions cannot be read back: {e:?}")))?;
        all.extend(values);
    }
    Ok(all)
}

/// The same rows on the device where nothing is recorded for gradients.
pub(super) fn without_gradients(device: &Device) -> Device {
    device.clone().inner()
}

fn input(batch: TabularBatch) -> TabularInput {
    TabularInput {
        x_num: batch.x_num,
        x_cat: batch.x_cat,
        ..TabularInput::default()
    }
}
