//! Several losses as one.

use burn::tensor::Tensor;
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::{LossConfig, RegressionLoss};

/// `Σ wₖ · lossₖ`, element by element: `0.7*huber:0.5 + 0.3*mae` on a command line.
///
/// ```
/// use forge_train::loss::LossConfig;
///
/// let loss: LossConfig = "0.7*huber:0.5 + 0.3*mae".parse()?;
/// assert_eq!(loss.name(), "combined");
/// assert!("0.7*huber + -0.3*mae".parse::<LossConfig>().is_err());
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Combined {
    /// At least one, none of them of several outputs per target.
    pub parts: Vec<WeightedLoss>,
}

/// A part of [`Combined`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightedLoss {
    /// Its factor, finite and above 0.
    pub weight: f64,
    /// What is multiplied.
    pub loss: LossConfig,
}

impl Combined {
    /// Reads `weight*loss + weight*loss + …`.
    pub(super) fn parse(text: &str) -> Result<Self, ForgeError> {
        let part = |part: &str| -> Result<WeightedLoss, ForgeError> {
            let refuse = || {
                let allowed = "a sum of losses with their weights, such as 0.7*huber:0.5 + 0.3*mae";
                ForgeError::config("loss", text, allowed)
            };
            let (weight, loss) = part.split_once('*').ok_or_else(refuse)?;
            Ok(WeightedLoss {
                weight: weight.trim().parse().map_err(|_| refuse())?,
                loss: loss.trim().parse()?,
            })
        };
        Ok(Self {
            parts: text.split('+').map(part).collect::<Result<_, _>>()?,
        })
    }
}

impl RegressionLoss for Combined {
    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("loss.parts.len", self.parts.len())?;
        for (i, part) in self.parts.iter().enumerate() {
            check::positive(&format!("loss.parts[{i}].weight"), part.weight)?;
            let field = format!("loss.parts[{i}].loss");
            part.loss.validate_for_one_output(&field)?;
        }
        Ok(())
    }

    /// # Panics
    /// If there is no part.
    fn elementwise<const D: usize>(&self, pred: Tensor<D>, target: Tensor<D>) -> Tensor<D> {
        let parts = self.parts.iter().map(|part| {
            let loss = part.loss.elementwise(pred.clone(), target.clone());
            loss.mul_scalar(part.weight)
        });
        let sum = parts.reduce(Tensor::add);
        assert!(sum.is_some(), "a combined loss has at least one part");
        sum.unwrap_or(pred)
    }
}
