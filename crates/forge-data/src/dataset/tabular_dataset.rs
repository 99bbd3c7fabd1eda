//! The design matrix as tensors, and batches of it.

use std::ops::Range;

use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::{DataError, Features};

/// `N` preprocessed rows on a device, and their targets where known.
///
/// A batch is one index-select a tensor on the device; rows are never gathered one by one.
#[derive(Debug, Clone)]
pub struct TabularDataset {
    /// Numeric features `[N, F_num]`; absent when there are none.
    pub x_num: Option<Tensor<2>>,
    /// Category codes `[N, F_cat]`; absent when there are none.
    pub x_cat: Option<Tensor<2, Int>>,
    /// Targets `[N, D_out]`; absent for rows to predict.
    pub y: Option<Tensor<2>>,
    rows: usize,
    device: Device,
}

/// Some rows of a [`TabularDataset`].
#[derive(Debug, Clone)]
pub struct TabularBatch {
    /// Numeric features `[B, F_num]`.
    pub x_num: Option<Tensor<2>>,
    /// Category codes `[B, F_cat]`.
    pub x_cat: Option<Tensor<2, Int>>,
    /// Targets `[B, D_out]`.
    pub y: Option<Tensor<2>>,
}

impl TabularDataset {
    /// Moves features, and one target a row, to `device`. Nothing is copied on the way to a CPU
    /// device.
    ///
    /// # Errors
    /// A schema error if the number of targets is not the number of rows.
    pub fn new(
        features: Features,
        target: Option<Vec<f32>>,
        device: &Device,
    ) -> Result<Self, DataError> {
        let rows = features.n_rows;
        if let Some(target) = &target
            && target.len() != rows
        {
            return Err(DataError::schema(format!(
                "{} targets for {rows} rows",
                target.len()
            )));
        }
        let (x_num, x_cat) = features.into_tensors(device);
        let y = target.map(|y| Tensor::from_data(TensorData::new(y, [rows, 1]), device));
        Ok(Self {
            x_num,
            x_cat,
            y,
            rows,
            device: device.clone(),
        })
    }

    /// A dataset of tensors that are on `device` already.
    ///
    /// # Errors
    /// A schema error if the tensors have different numbers of rows, or there is no feature.
    pub fn from_tensors(
        x_num: Option<Tensor<2>>,
        x_cat: Option<Tensor<2, Int>>,
        y: Option<Tensor<2>>,
        device: &Device,
    ) -> Result<Self, DataError> {
        let lengths = [
            x_num.as_ref().map(|x| x.dims()[0]),
            x_cat.as_ref().map(|x| x.dims()[0]),
            y.as_ref().map(|y| y.dims()[0]),
        ];
        let Some(rows) = lengths[0].or(lengths[1]) else {
            return Err(DataError::schema(
                "neither numeric nor categorical features",
            ));
        };
        if lengths.iter().flatten().any(|n| *n != rows) {
            return Err(DataError::schema(format!(
                "x_num, x_cat and y have {lengths:?} rows; they must have equally many"
            )));
        }
        Ok(Self {
            x_num,
            x_cat,
            y,
            rows,
            device: device.clone(),
        })
    }

    /// Number of rows.
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

    /// The same rows on another device.
    #[must_use]
    pub fn to_device(self, device: &Device) -> Self {
        Self {
            x_num: self.x_num.map(|x| x.to_device(device)),
            x_cat: self.x_cat.map(|x| x.to_device(device)),
            y: self.y.map(|y| y.to_device(device)),
            rows: self.rows,
            device: device.clone(),
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
        let index = |i: &usize| {
            assert!(*i < self.rows, "row {i} of a dataset of {} rows", self.rows);
            *i as i64
        };
        let indices: Vec<i64> = indices.iter().map(index).collect();
        assert!(!indices.is_empty(), "a batch needs at least one row");
        let b = indices.len();
        let indices: Tensor<1, Int> =
            Tensor::from_data(TensorData::new(indices, [b]), &self.device);
        TabularBatch {
            x_num: self.x_num.clone().map(|x| x.select(0, indices.clone())),
            x_cat: self.x_cat.clone().map(|x| x.select(0, indices.clone())),
            y: self.y.clone().map(|y| y.select(0, indices)),
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
        assert!(
            !rows.is_empty() && rows.end <= self.rows,
            "rows {rows:?} of a dataset of {} rows",
            self.rows
        );
        let cut = |x: Tensor<2>| x.slice([rows.clone()]);
        TabularBatch {
            x_num: self.x_num.clone().map(cut),
            x_cat: self.x_cat.clone().map(|x| x.slice([rows.clone()])),
            y: self.y.clone().map(cut),
        }
    }
}
