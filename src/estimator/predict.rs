//! From rows to outputs.

use burn::tensor::{DType, Device};
use forge_data::{TabularBatch, TabularDataset};
use forge_models::{Context, Model, TabularInput, TabularModel, TabularRows};
use forge_nn::{ForgeError, Network};

/// Rows per forward pass when nothing is learnt from them: bounds memory, whatever the table.
const ROWS_PER_PASS: usize = 1024;

/// The model's outputs for all rows `[N x D_out]`, in order, as it gives them.
pub(super) fn outputs(
    module: &Model,
    rows: &TabularDataset,
    context: Option<&Context>,
) -> Result<Vec<f64>, ForgeError> {
    let context = context.map(|context| module.encode_context(context.clone()));
    let mut all = Vec::new();
    for start in (0..rows.len()).step_by(ROWS_PER_PASS) {
        let batch = rows.range(start..(start + ROWS_PER_PASS).min(rows.len()));
        let input = TabularInput {
            rows: features(batch),
            context: context.clone(),
            target: None,
        };
        let read = |e: &dyn std::fmt::Display| {
            ForgeError::device(format!("predictions cannot be read back: {e}"))
        };
        let values = module
            .forward(input)
            .try_into_data_dtype(DType::F64)
            .map_err(|e| read(&e))?
            .try_into_vec::<f64>()
            .map_err(|e| read(&e))?;
        all.extend(values);
    }
    Ok(all)
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
