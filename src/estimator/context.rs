//! Training rows that a fitted model looks at when it predicts.

use burn::tensor::{Device, Tensor, TensorData};
use forge_data::{EncodedTargets, Features};
use forge_models::{Context, Labels, ModelConfig, RowContext, TrainingContext};
use forge_nn::ForgeError;
use forge_train::objective::{Objective, ObjectiveConfig};

use super::predict::features;

/// Rows that models of neighbours are given: about a training batch.
const NEIGHBOURS: usize = 256;

/// Preprocessed training rows that belong to the model, as much as its weights.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoredContext {
    pub(crate) features: Features,
    /// Targets as the model learns them, for models of labelled rows.
    pub(crate) targets: Option<EncodedTargets>,
}

impl StoredContext {
    /// Which of `train` rows the model keeps, evenly spread; none for one that looks at no other
    /// rows.
    pub(super) fn choose(model: &ModelConfig, train: &[usize]) -> Option<Vec<usize>> {
        let most = match model.capabilities().rows {
            RowContext::Alone => return None,
            RowContext::Neighbours => NEIGHBOURS,
            RowContext::Labelled => model.labelled_rows().most,
        };
        let kept = train.len().min(most);
        let at = |i: usize| train[i * train.len() / kept];
        Some((0..kept).map(at).collect())
    }

    /// On a device.
    pub(super) fn to_device(&self, device: &Device) -> Context {
        let rows = self.features.n_rows;
        Context {
            rows: features(self.features.clone().into_batch(device)),
            encoded: vec![],
            target: self.targets.as_ref().map(|targets| {
                let values = TensorData::new(targets.values.clone(), [rows, targets.slots]);
                Tensor::from_data(values, device)
            }),
        }
    }
}

/// What an objective's targets are as labels of context rows.
pub(crate) fn labels(objective: &ObjectiveConfig) -> Labels {
    match objective.n_classes() {
        Some(classes) => Labels::Classes(classes),
        None => Labels::Numbers(objective.slots()),
    }
}

/// Refuses a training in which what the rows look at would not fit into memory.
///
/// # Errors
/// A config error with the size and the ways out.
pub(super) fn check_size(
    model: &ModelConfig,
    rows: usize,
    batch_size: usize,
    gigabytes: f64,
) -> Result<(), ForgeError> {
    let all = batch_size.min(rows);
    let (batch, context) = match (model.capabilities().rows, model.labelled_rows().training) {
        (RowContext::Alone, _) => return Ok(()),
        // The rows of a batch look at each other.
        (RowContext::Neighbours, _) => (all, 0),
        (RowContext::Labelled, TrainingContext::HalfBatch) => (all - all / 2, all / 2),
        (RowContext::Labelled, TrainingContext::OtherRows { fraction }) => {
            (all, ((rows - all) as f64 * fraction) as usize)
        }
    };
    let needed = model.context_bytes(batch, context) as f64 / 1e9;
    if needed <= gigabytes {
        return Ok(());
    }
    let name = model.name();
    Err(ForgeError::config(
        "training.context_gigabytes",
        gigabytes,
        format!(
            "at least {needed:.1} for {rows} training rows: every step of {name} keeps values of its \
             {batch} rows and of {context} that they look at; take fewer rows, a smaller \
             training.batch_size or a narrower model"
        ),
    ))
}
