//! From rows to outputs.

use burn::tensor::{DType, Device, Tensor};
use forge_data::{TabularBatch, TabularDataset};
use forge_models::{Context, Model, TabularInput, TabularModel, TabularRows};
use forge_nn::{ForgeError, Network, Want};
use forge_train::objective::{Objective, ObjectiveConfig, Predictions, Scale};

use crate::worker::with_rows;

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
    predictions_with(module, rows, context, objective, scales, |input| input)
}

/// [`predictions`] of rows that are changed on their way to the model.
pub(super) fn predictions_with(
    module: &Model,
    rows: &TabularDataset,
    context: Option<&Context>,
    objective: &ObjectiveConfig,
    scales: &[Scale],
    change: impl Fn(TabularInput) -> TabularInput + Sync,
) -> Result<Predictions, ForgeError> {
    let (outputs, members) = outputs(module, rows, context, change)?;
    objective.decode_members(&outputs, members, scales)
}

/// What each member of a network says that is an ensemble in itself; of another network, what it says.
pub(super) fn predictions_of_each(
    module: &Model,
    rows: &TabularDataset,
    context: Option<&Context>,
    objective: &ObjectiveConfig,
    scales: &[Scale],
) -> Result<Vec<Predictions>, ForgeError> {
    let (outputs, members) = outputs(module, rows, context, |input| input)?;
    objective.decode_each(&outputs, members, scales)
}

/// The model's outputs for all rows `[N x K x D_out]`, in order, as it gives them, and the number
/// `K` of its members.
fn outputs(
    module: &Model,
    rows: &TabularDataset,
    context: Option<&Context>,
    change: impl Fn(TabularInput) -> TabularInput + Sync,
) -> Result<(Vec<f64>, usize), ForgeError> {
    with_rows(rows.len(), rows.device(), || {
        let (mut all, mut members) = (Vec::new(), 1);
        for input in inputs(module, rows, context) {
            let forward = module.run(change(input), Want::PREDICTIONS);
            all.extend(match forward.members {
                Some(each) => {
                    members = each.dims()[1];
                    on_host(each, "predictions")?
                }
                None => on_host(forward.y, "predictions")?,
            });
        }
        Ok((all, members))
    })
}

/// How much each feature counted, summed over all rows, for a model that declares
/// [`feature_masks`](forge_models::Capabilities::feature_masks).
pub(super) fn importance(
    module: &Model,
    rows: &TabularDataset,
    context: Option<&Context>,
) -> Result<Vec<f64>, ForgeError> {
    let want = Want {
        features: true,
        ..Want::PREDICTIONS
    };
    with_rows(rows.len(), rows.device(), || {
        let mut sums: Vec<f64> = Vec::new();
        for input in inputs(module, rows, context) {
            let Some(map) = module.run(input, want).maps.importance else {
                let what = format!("{} tells no importance of features", module.name());
                return Err(ForgeError::unsupported(what));
            };
            let features = map.dims()[1];
            sums.resize(features, 0.0);
            let values = on_host(map, "importances")?;
            for row in values.chunks_exact(features.max(1)) {
                sums.iter_mut()
                    .zip(row)
                    .for_each(|(sum, value)| *sum += value);
            }
        }
        Ok(sums)
    })
}

/// The rows in passes, with the context encoded once.
fn inputs<'a>(
    module: &Model,
    rows: &'a TabularDataset,
    context: Option<&Context>,
) -> impl Iterator<Item = TabularInput> + use<'a> {
    let context = context.map(|context| module.encode_context(context.clone()));
    let starts = (0..rows.len()).step_by(ROWS_PER_PASS);
    starts.map(move |start| TabularInput {
        rows: features(rows.range(start..(start + ROWS_PER_PASS).min(rows.len()))),
        context: context.clone(),
        target: None,
    })
}

fn on_host<const D: usize>(values: Tensor<D>, what: &str) -> Result<Vec<f64>, ForgeError> {
    let read =
        |e: &dyn std::fmt::Display| ForgeError::device(format!("{what} cannot be read back: {e}"));
    let data = values.try_into_data_dtype(DType::F64);
    let data = data.map_err(|e| read(&e))?;
    data.try_into_vec::<f64>().map_err(|e| read(&e))
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
pub(crate) fn without_gradients(device: &Device) -> Device {
    device.clone().inner()
}
