//! How scores become a mask.

use burn::tensor::Tensor;
use forge_nn::activation::{entmax15, sparsemax};
use serde::{Deserialize, Serialize};

/// From scores to weights that sum to 1, with exact zeros.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MaskType {
    /// [`sparsemax`], the paper's.
    #[default]
    Sparsemax,
    /// [`entmax15`], the package's other option: less sparse.
    Entmax,
}

impl MaskType {
    /// # Shapes
    /// - scores, output: `[B, F]`; every row sums to 1
    pub(super) fn apply(self, scores: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Sparsemax => sparsemax(scores, 1),
            Self::Entmax => entmax15(scores, 1),
        }
    }
}
