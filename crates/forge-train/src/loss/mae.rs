//! The absolute error.

use burn::tensor::Tensor;
use forge_nn::ForgeError;
use serde::{Deserialize, Serialize};

use super::{RegressionLoss, residual};

/// `|r|`. The gradient at `r = 0` is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mae {}

impl RegressionLoss for Mae {
    fn validate(&self) -> Result<(), ForgeError> {
        Ok(())
    }

    fn elementwise<const D: usize>(&self, pred: Tensor<D>, target: Tensor<D>) -> Tensor<D> {
        residual(pred, target).abs()
    }
}
