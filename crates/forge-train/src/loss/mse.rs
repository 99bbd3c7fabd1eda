//! The squared error.

use burn::tensor::Tensor;
use forge_nn::ForgeError;
use serde::{Deserialize, Serialize};

use super::{RegressionLoss, residual};

/// `r²`, without the factor ½ that some texts carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mse {}

impl RegressionLoss for Mse {
    fn validate(&self) -> Result<(), ForgeError> {
        Ok(())
    }

    fn elementwise<const D: usize>(&self, pred: Tensor<D>, target: Tensor<D>) -> Tensor<D> {
        let r = residual(pred, target);
        r.clone().mul(r)
    }
}
