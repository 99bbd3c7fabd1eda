//! Transformed rows, ready to become tensors.

use burn::tensor::{Device, Tensor, TensorData};

use super::transform_report::TransformReport;
use crate::TabularBatch;

/// Features of `N` rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    /// `[N, F_num]`, row-major.
    pub numeric: Vec<f32>,
    /// `F_num`.
    pub n_numeric: usize,
    /// `[N, F_cat]`, row-major; column `j` in `0..cardinalities[j]`.
    pub categorical: Vec<i32>,
    /// `F_cat`.
    pub n_categorical: usize,
    /// `[N, F_num]`, row-major: whether the number was in the table rather than imputed. Absent
    /// unless asked for; see [`Preprocessor::transform_with`](super::Preprocessor::transform_with).
    pub num_present: Option<Vec<bool>>,
    /// `[N, F_cat]`, row-major: whether the label was in the table, known in training or not.
    /// Absent unless asked for.
    pub cat_present: Option<Vec<bool>>,
    /// `N`.
    pub n_rows: usize,
    /// What was repaired.
    pub report: TransformReport,
}

impl Features {
    /// Moves features and masks to `device`; an empty matrix is `None`.
    #[must_use]
    pub fn into_batch(self, device: &Device) -> TabularBatch {
        let n = self.n_rows;
        let num = [n, self.n_numeric];
        let cat = [n, self.n_categorical];
        let mask = |mask: Option<Vec<bool>>, shape: [usize; 2]| {
            let mask = mask.filter(|_| shape[1] > 0)?;
            Some(Tensor::from_data(TensorData::new(mask, shape), device))
        };
        TabularBatch {
            x_num: (num[1] > 0)
                .then(|| Tensor::from_data(TensorData::new(self.numeric, num), device)),
            x_cat: (cat[1] > 0)
                .then(|| Tensor::from_data(TensorData::new(self.categorical, cat), device)),
            num_present: mask(self.num_present, num),
            cat_present: mask(self.cat_present, cat),
            y: None,
            weights: None,
        }
    }
}
