//! From one loss per element to one number.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// The smallest sum of weights that is divided by.
const TINY: f64 = 1e-30;

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

    /// Applies the reduction to losses that count more or less: every loss times its weight, their
    /// sum, or `Σ w l / Σ w`, which is 0 where all weigh nothing.
    ///
    /// # Shapes
    /// - loss and weights: the same, any
    /// - output: that of the loss for [`Reduction::None`], else 1 in every axis
    ///
    /// # Panics
    /// If the shapes differ; the message has both.
    #[must_use]
    pub fn apply_weighted<const D: usize>(
        self,
        loss: Tensor<D>,
        weights: Option<Tensor<D>>,
    ) -> Tensor<D> {
        let Some(weights) = weights else {
            return self.apply(loss);
        };
        super::same_shape("weights", &weights, &loss);
        let weights = weights.cast(loss.dtype());
        match self {
            Self::None => loss.mul(weights),
            Self::Sum => loss.mul(weights).sum().reshape([1; D]),
            Self::Mean => {
                let total = weights.clone().sum().clamp_min(TINY).reshape([1; D]);
                let shares = weights.div(total);
                loss.mul(shares).sum().reshape([1; D])
            }
        }
    }
}
