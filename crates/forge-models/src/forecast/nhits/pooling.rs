//! A series at a coarser rate.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// How the steps of a cell become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum NHitsPooling {
    /// The largest.
    #[default]
    MaxPool1d,
    /// The mean.
    AvgPool1d,
}

impl NHitsPooling {
    /// Cells of `kernel` steps one after the other; the last one has what is left.
    ///
    /// # Shapes
    /// - x: `[B, T, C]`
    /// - output: `[B, ⌈T / kernel⌉, C]`
    pub(super) fn forward(self, x: Tensor<3>, kernel: usize) -> Tensor<3> {
        let [batch, time, channels] = x.dims();
        if kernel == 1 {
            return x;
        }
        let whole = time / kernel;
        let mut cells = vec![];
        if whole > 0 {
            let first = x.clone().narrow(1, 0, whole * kernel);
            let first = first.reshape([batch, whole, kernel, channels]);
            cells.push(self.over(first, 2).squeeze_dim::<3>(2));
        }
        let rest = time - whole * kernel;
        if rest > 0 {
            cells.push(self.over(x.narrow(1, time - rest, rest), 1));
        }
        Tensor::cat(cells, 1)
    }

    fn over<const D: usize>(self, x: Tensor<D>, dim: usize) -> Tensor<D> {
        match self {
            Self::MaxPool1d => x.max_dim(dim),
            Self::AvgPool1d => x.mean_dim(dim),
        }
    }
}
