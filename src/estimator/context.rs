//! Training rows that a fitted model looks at when it predicts.

use burn::tensor::{Device, Tensor, TensorData};
use forge_data::{EncodedTargets, Features};
use forge_models::{Context, RowContext};

use super::predict::features;

/// Most rows that models of labelled rows are given: their cost grows with the square.
const LABELLED: usize = 1_000;
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
    /// Which of `train` rows a model of this kind keeps, evenly spread; none for one that looks at
    /// no other rows.
    pub(super) fn choose(rows: RowContext, train: &[usize]) -> Option<Vec<usize>> {
        let most = match rows {
            RowContext::Alone => return None,
            RowContext::Neighbours => NEIGHBOURS,
            RowContext::Labelled => LABELLED,
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
            target: self.targets.as_ref().map(|targets| {
                let values = TensorData::new(targets.values.clone(), [rows, targets.slots]);
                Tensor::from_data(values, device)
            }),
        }
    }
}
