//! The quantile (pinball) loss.

use burn::tensor::{Tensor, TensorData, activation::relu};
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::RegressionLoss;

/// `max(q r, (q - 1) r)` for each quantile `q` (Koenker and Bassett 1978): its minimiser is the
/// `q`-quantile of the target.
///
/// The model predicts one value per quantile; [`RegressionLoss::mean`] averages over quantiles as
/// well. The paper of the Temporal Fusion Transformer sums over quantiles: multiply by their
/// number for that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quantile {
    /// The quantiles, each in `(0, 1)`, strictly rising. Default: the median alone.
    pub quantiles: Vec<f64>,
}

impl Default for Quantile {
    fn default() -> Self {
        Self {
            quantiles: vec![0.5],
        }
    }
}

impl RegressionLoss for Quantile {
    fn validate(&self) -> Result<(), ForgeError> {
        check_quantiles("loss.quantiles", &self.quantiles)
    }

    /// The loss of every prediction.
    ///
    /// # Shapes
    /// - pred: `[B, K]`, one column per quantile (any rank, quantiles last)
    /// - target: `[B, 1]`
    /// - output: `[B, K]`
    ///
    /// # Panics
    /// If the last axis of `pred` is not the number of quantiles, the last axis of `target` is not
    /// 1, or the other axes differ.
    fn elementwise<const D: usize>(&self, pred: Tensor<D>, target: Tensor<D>) -> Tensor<D> {
        let k = self.quantiles.len();
        let mut expected = pred.dims();
        assert_eq!(
            expected[D - 1],
            k,
            "quantile loss: pred has shape {:?}, its last axis must be the {k} quantiles",
            pred.dims()
        );
        expected[D - 1] = 1;
        assert_eq!(
            target.dims(),
            expected,
            "quantile loss: target has shape {:?}, pred {:?}; target must be {expected:?}",
            target.dims(),
            pred.dims()
        );
        let q = TensorData::new(self.quantiles.clone(), [k]);
        let q = Tensor::<1>::from_data(q, (&pred.device(), pred.dtype()));
        let mut last = [1; D];
        last[D - 1] = k;
        // q r + max(-r, 0) is the same and takes one comparison.
        let r = target.sub(pred);
        relu(r.clone().neg()).add(r.mul(q.reshape(last)))
    }
}

/// Quantiles are there, each in `(0, 1)`, strictly rising.
///
/// # Errors
/// A config error naming the one of `field` that is not.
pub fn check_quantiles(field: &str, quantiles: &[f64]) -> Result<(), ForgeError> {
    check::at_least_one(&format!("{field}.len"), quantiles.len())?;
    for (i, &q) in quantiles.iter().enumerate() {
        let field = format!("{field}[{i}]");
        if !(q > 0.0 && q < 1.0) {
            return Err(ForgeError::config(&field, q, "above 0 and below 1"));
        }
        if i > 0 && q <= quantiles[i - 1] {
            return Err(ForgeError::config(
                &field,
                q,
                format!("above the one before it, {}", quantiles[i - 1]),
            ));
        }
    }
    Ok(())
}
