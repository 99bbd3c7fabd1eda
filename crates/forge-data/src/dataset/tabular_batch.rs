//! Rows as tensors.

use burn::tensor::kind::Basic;
use burn::tensor::{Bool, Device, Int, Tensor};

use crate::DataError;

/// Some rows of a [`TabularDataset`](crate::TabularDataset), or all of them.
#[derive(Debug, Clone, Default)]
pub struct TabularBatch {
    /// Numeric features `[B, F_num]`; absent when there are none.
    pub x_num: Option<Tensor<2>>,
    /// Category codes `[B, F_cat]`; absent when there are none.
    pub x_cat: Option<Tensor<2, Int>>,
    /// True where a number was in the table rather than imputed, `[B, F_num]`; absent when nobody
    /// asked.
    pub num_present: Option<Tensor<2, Bool>>,
    /// True where a label was in the table, `[B, F_cat]`; absent when nobody asked.
    pub cat_present: Option<Tensor<2, Bool>>,
    /// Targets `[B, S]`; absent for rows to predict.
    pub y: Option<Tensor<2>>,
    /// What each row counts in the loss, `[B]`; absent when all count alike.
    pub weights: Option<Tensor<1>>,
}

/// What is done to every tensor of a batch, whatever its rank and kind.
pub(super) trait EachTensor {
    fn each<const D: usize, K: Basic>(&self, tensor: Tensor<D, K>) -> Tensor<D, K>;
}

impl TabularBatch {
    /// The same rows on another device.
    #[must_use]
    pub fn to_device(self, device: &Device) -> Self {
        struct To<'a>(&'a Device);
        impl EachTensor for To<'_> {
            fn each<const D: usize, K: Basic>(&self, tensor: Tensor<D, K>) -> Tensor<D, K> {
                tensor.to_device(self.0)
            }
        }
        self.map(&To(device))
    }

    pub(super) fn map(self, f: &impl EachTensor) -> Self {
        Self {
            x_num: self.x_num.map(|t| f.each(t)),
            x_cat: self.x_cat.map(|t| f.each(t)),
            num_present: self.num_present.map(|t| f.each(t)),
            cat_present: self.cat_present.map(|t| f.each(t)),
            y: self.y.map(|t| f.each(t)),
            weights: self.weights.map(|t| f.each(t)),
        }
    }

    /// `B`, if the tensors agree on it and there is a feature.
    ///
    /// # Errors
    /// A schema error naming the tensors that disagree, a mask of another width than its
    /// features, or that there is no feature.
    pub(super) fn rows(&self) -> Result<usize, DataError> {
        let num = self.x_num.as_ref().map(Tensor::dims);
        let cat = self.x_cat.as_ref().map(Tensor::dims);
        let Some([rows, _]) = num.or(cat) else {
            return Err(DataError::schema(
                "neither numeric nor categorical features",
            ));
        };
        let lengths = [
            ("x_num", num.map(|d| d[0])),
            ("x_cat", cat.map(|d| d[0])),
            (
                "num_present",
                self.num_present.as_ref().map(|t| t.dims()[0]),
            ),
            (
                "cat_present",
                self.cat_present.as_ref().map(|t| t.dims()[0]),
            ),
            ("y", self.y.as_ref().map(|t| t.dims()[0])),
            ("weights", self.weights.as_ref().map(|t| t.dims()[0])),
        ];
        for (name, length) in lengths {
            if let Some(length) = length
                && length != rows
            {
                return Err(DataError::schema(format!(
                    "{name} has {length} rows, the features have {rows}; they must have equally \
                     many"
                )));
            }
        }
        let masks = [
            (
                "num_present",
                self.num_present.as_ref().map(Tensor::dims),
                num,
            ),
            (
                "cat_present",
                self.cat_present.as_ref().map(Tensor::dims),
                cat,
            ),
        ];
        for (name, mask, features) in masks {
            if mask.is_some() && mask != features {
                return Err(DataError::schema(format!(
                    "{name} has shape {mask:?}; its features have {features:?}"
                )));
            }
        }
        Ok(rows)
    }
}
