//! From rows to outputs.

use burn::tensor::{DType, Device};
use forge_data::{TabularBatch, TabularDataset};
use forge_models::{Context, Model, TabularInput, TabularRows};
use forge_nn::{ForgeError, Network, Want};
use forge_train::objective::{Objective, ObjectiveConfig, Predictions, Scale};

/// Rows per forward pass when nothing is learnt from them: bounds memory, whatever the table.
const ROWS_PER_PASS: usize = 1024;

/// What the model says of all rows, in order, in the targets' units.
pub(super) fn predictions(
    module: &Model,
    rows: &TabularDataset,
    context: Option<&Context>,
    objective: &ObjectiveConfig,
    scales: &[Scale],
) -> Result<Predictions, ForgeError> {
    let (outputs, members) = outputs(module, rows, context)?;
    objective.decode_members(&outputs, members, scales)
}

/// The model's outputs for all rows `[N x K x D_out]`, in order, as it gives them, and the number
/// `K` of its members.
fn outputs(
    module: &Model,
    rows: &TabularDataset,
    context: Option<&Context>,
) -> Result<(Vec<f64>, usize), ForgeError> {
    let (mut all, mut members) = (Vec::new(), 1);
    for start in (0..rows.len()).step_by(ROWS_PER_PASS) {
        let batch = rows.range(start..(start + ROWS_PER_PASS).min(rows.len()));
        let input = TabularInput {
            rows: features(batch),
            context: context.cloned(),
        };
        let read = |e: &dyn std::fmt::Display| {
            ForgeError::device(format!("predictions cannot be read back: {e}"))
        };
        let forward = module.run(input, Want::PREDICTIONS);
        let data = match forward.members {
            Some(each) => {
                members = each.dims()[1];
                each.try_into_data_dtype(DType::F64)
            }
            None => forward.y.try_into_data_dtype(DType::F64),
        };
        let values = data
            .map_err(|e| read(&e))?
            .try_into_vec::<f64>()
            .map_err(|e| read(&e))?;
        all.extend(values);
    }
    Ok((all, members))
}

/// The features of a batch as a model takes them.
pub(super) fn features(batch: TabularBatch) -> TabularRows {
    TabularRows {
        x_num: batch.x_num,
        x_cat: batch.x_cat,
        num_present: batch.num_present,
        cat_present: batch.cat_present,
    }
}

/// The same device where nothing is recorded for gradients.
pub(super) fn without_gradients(device: &Device) -> Device {
    device.clone().inner()
}
