//! From one loss per element to one number.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// How element losses become one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reduction {
    /// Leave every element.
    None,
    /// The mean over all elements.
    #[default]
    Mean,
    /// The sum over all elements.
    Sum,
}

impl Reduction {
    /// Applies the reduction.
    ///
    /// # Shapes
    /// - input: any
    /// - output: that of the input for [`Reduction::None`], else 1 in every axis
    #[must_use]
    pub fn apply<const D: usize>(self, loss: Tensor<D>) -> Tensor<D> {
        match self {
            Self::None => loss,
            Self::Mean => loss.mean().reshape([1; D]),
            Self::Sum => loss.sum().reshape([1; D]),
        }
    }
}
