//! The design matrix as tensors, and batches of it.

use std::ops::Range;

use burn::tensor::kind::Basic;
use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

use super::tabular_batch::EachTensor;
use super::{TabularBatch, mask_rows, weights};
use crate::{DataError, EncodedTargets, Features};

/// `N` preprocessed rows on a device; targets, masks and weights where known.
///
/// A batch is one index-select per tensor on the device; rows are never gathered one by one. To
/// train on several devices, give each a copy ([`to_device`](Self::to_device)), or keep one and
/// move batches ([`batch_on`](Self::batch_on)).
#[derive(Debug, Clone)]
pub struct TabularDataset {
    all: TabularBatch,
    rows: usize,
    device: Device,
}

impl TabularDataset {
    /// Moves features, and their masks if they have any, to `device`. Nothing is copied on the
    /// way to a CPU device.
    #[must_use]
    pub fn new(features: Features, device: &Device) -> Self {
        Self {
            rows: features.n_rows,
            all: features.into_batch(device),
            device: device.clone(),
        }
    }

    /// A dataset of tensors that are on `device` already.
    ///
    /// # Errors
    /// A schema error if the tensors have different numbers of rows, a mask has another shape
    /// than its features, or there is no feature.
    pub fn from_tensors(tensors: TabularBatch, device: &Device) -> Result<Self, DataError> {
        Ok(Self {
            rows: tensors.rows()?,
            all: tensors,
            device: device.clone(),
        })
    }

    /// With the targets that a model learns, [`EncodedTargets::values`].
    ///
    /// # Errors
    /// A schema error if there are not as many rows of targets as of features.
    pub fn with_targets(self, targets: &EncodedTargets) -> Result<Self, DataError> {
        self.with_target_values(targets.values.clone(), targets.slots)
    }

    /// With target values `[N, S]`, row-major, in `slots` = `S` slots.
    ///
    /// # Errors
    /// A schema error if the values do not fill `N` rows of `S`, or `S` is 0.
    pub fn with_target_values(mut self, values: Vec<f32>, slots: usize) -> Result<Self, DataError> {
        if slots == 0 || self.rows.checked_mul(slots) != Some(values.len()) {
            return Err(DataError::schema(format!(
                "{} target values for {} rows of {slots} targets",
                values.len(),
                self.rows
            )));
        }
        let values = TensorData::new(values, [self.rows, slots]);
        self.all.y = Some(Tensor::from_data(values, &self.device));
        Ok(self)
    }

    /// With weights `[N]`, such as [`sample_weights`](crate::sample_weights) reads.
    ///
    /// # Errors
    /// - schema: there is not one weight per row
    /// - value: a weight is negative or not finite (named by its position), or all are 0
    pub fn with_weights(mut self, weights: Vec<f32>) -> Result<Self, DataError> {
        if weights.len() != self.rows {
            return Err(DataError::schema(format!(
                "{} weights for {} rows",
                weights.len(),
                self.rows
            )));
        }
        weights::check_all(&weights)?;
        let weights = TensorData::new(weights, [self.rows]);
        self.all.weights = Some(Tensor::from_data(weights, &self.device));
        Ok(self)
    }

    /// Every row, as tensors.
    #[must_use]
    pub fn tensors(&self) -> &TabularBatch {
        &self.all
    }

    /// Number of rows, `N`.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The device the rows are on.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The same rows on another device. Whether it records gradients stays as it was.
    #[must_use]
    pub fn to_device(self, device: &Device) -> Self {
        let device = if self.device.is_autodiff() {
            device.clone().autodiff()
        } else {
            device.clone().inner()
        };
        Self {
            all: self.all.to_device(&device),
            rows: self.rows,
            device,
        }
    }

    /// The rows `indices`, in that order; repetition is allowed.
    ///
    /// # Shapes
    /// - output: `[B, ·]` with `B = indices.len()`
    ///
    /// # Panics
    /// If an index is not below [`len`](Self::len), or there is none.
    #[must_use]
    pub fn batch(&self, indices: &[usize]) -> TabularBatch {
        struct Select(Tensor<1, Int>);
        impl EachTensor for Select {
            fn each<const D: usize, K: Basic>(&self, tensor: Tensor<D, K>) -> Tensor<D, K> {
                tensor.select(0, self.0.clone())
            }
        }
        let index = |i: &usize| {
            assert!(*i < self.rows, "row {i} of a dataset of {} rows", self.rows);
            *i as i64
        };
        let indices: Vec<i64> = indices.iter().map(index).collect();
        assert!(!indices.is_empty(), "a batch needs at least one row");
        let indices = TensorData::new(indices.clone(), [indices.len()]);
        let indices = Tensor::from_data(indices, &self.device);
        let mask = |mask: &Option<Tensor<2, Bool>>| Some(mask_rows(mask.clone()?, indices.clone()));
        let (num_present, cat_present) = (mask(&self.all.num_present), mask(&self.all.cat_present));
        let rest = TabularBatch {
            num_present: None,
            cat_present: None,
            ..self.all.clone()
        };
        TabularBatch {
            num_present,
            cat_present,
            ..rest.map(&Select(indices))
        }
    }

    /// [`batch`](Self::batch), moved to `device`: selected where the rows are, so that no more
    /// than the batch is moved. Whether gradients are recorded stays as it was.
    ///
    /// # Shapes
    /// - output: `[B, ·]` with `B = indices.len()`
    ///
    /// # Panics
    /// As [`batch`](Self::batch).
    #[must_use]
    pub fn batch_on(&self, indices: &[usize], device: &Device) -> TabularBatch {
        let batch = self.batch(indices);
        if *device == self.device {
            batch
        } else {
            batch.to_device(device)
        }
    }

    /// The rows of a range, in order: a view where the device can.
    ///
    /// # Shapes
    /// - output: `[B, ·]` with `B = rows.len()`
    ///
    /// # Panics
    /// If the range is empty or ends beyond [`len`](Self::len).
    #[must_use]
    pub fn range(&self, rows: Range<usize>) -> TabularBatch {
        struct Cut(Range<usize>);
        impl EachTensor for Cut {
            fn each<const D: usize, K: Basic>(&self, tensor: Tensor<D, K>) -> Tensor<D, K> {
                tensor.slice([self.0.clone()])
            }
        }
        assert!(
            !rows.is_empty() && rows.end <= self.rows,
            "rows {rows:?} of a dataset of {} rows",
            self.rows
        );
        self.all.clone().map(&Cut(rows))
    }
}
