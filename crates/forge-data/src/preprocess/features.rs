//! Transformed rows, ready to become tensors.

use burn::tensor::{Device, Int, Tensor, TensorData};

/// What [`Preprocessor::transform`](super::Preprocessor::transform) repaired on the way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransformReport {
    /// Columns with missing cells and how many: numbers were imputed, labels went to the missing
    /// or unknown bucket.
    pub missing: Vec<(String, u64)>,
    /// Categorical columns with labels that have no code of their own, and in how many rows.
    pub unknown: Vec<(String, u64)>,
}

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
    /// `N`.
    pub n_rows: usize,
    /// What was repaired.
    pub report: TransformReport,
}

impl Features {
    /// Moves the numbers to `device`; an empty matrix is `None`.
    ///
    /// # Shapes
    /// - numeric: `[N, F_num]`
    /// - categorical: `[N, F_cat]`
    #[must_use]
    pub fn into_tensors(self, device: &Device) -> (Option<Tensor<2>>, Option<Tensor<2, Int>>) {
        let Self {
            numeric,
            n_numeric,
            categorical,
            n_categorical,
            n_rows,
            report: _,
        } = self;
        let x_num = (n_numeric > 0)
            .then(|| Tensor::from_data(TensorData::new(numeric, [n_rows, n_numeric]), device));
        let x_cat = (n_categorical > 0).then(|| {
            Tensor::from_data(
                TensorData::new(categorical, [n_rows, n_categorical]),
                device,
            )
        });
        (x_num, x_cat)
    }

    /// [`into_tensors`](Self::into_tensors) of a copy.
    #[must_use]
    pub fn to_tensors(&self, device: &Device) -> (Option<Tensor<2>>, Option<Tensor<2, Int>>) {
        self.clone().into_tensors(device)
    }
}
