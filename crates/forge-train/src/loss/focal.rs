//! The focal loss.

use burn::tensor::{Bool, Int, Tensor, TensorData, activation::log_softmax};
use forge_nn::ops::stop_gradient;
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::{binary_cross_entropy, same_shape};

/// Below every logit there is: what hides one of them from a sum of exponentials.
const HIDDEN: f32 = -1e30;

/// `(1 - p_t)^γ · -ln p_t`, the log loss of rows that a model is sure of turned down
/// (Lin et al. 2017, "Focal Loss for Dense Object Detection", arXiv 1708.02002, eq. 4). The factor
/// `α_t` of its equation 5 is the objectives' [class weights](crate::objective::ClassWeights):
/// `[1 - α, α]` for two classes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Focal {
    /// How much sure rows are turned down, `γ`: finite, at least 0. 0 is the log loss; the paper's
    /// 2.
    pub gamma: f64,
}

impl Default for Focal {
    fn default() -> Self {
        Self { gamma: 2.0 }
    }
}

impl Focal {
    /// Checks the field.
    ///
    /// # Errors
    /// A config error naming it, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("loss.gamma", self.gamma, 0.0..=1e6)
    }
}

/// The focal loss of a yes or no, element by element: with `p = sigmoid(logits)`,
/// `-α (1 - p)^γ ln p` where the target is 1 and `-(1 - α) p^γ ln(1 - p)` where it is 0; without
/// `alpha` both factors are 1 (`torchvision.ops.sigmoid_focal_loss` takes -1 for that).
///
/// `(1 - p_t)^γ` is computed as `exp(-γ · log loss of the other label)`: no probability is formed and
/// no power of 0 derived, so values and gradients are exact for logits to ±1e4 and any `γ`. For a
/// target between 0 and 1 the factor is the geometric mean of both.
///
/// # Shapes
/// - logits, target: `[B, S]` (any rank)
/// - output: that of `logits`
///
/// # Panics
/// If the shapes differ; the message has both.
#[must_use]
pub fn binary_focal<const D: usize>(
    logits: Tensor<D>,
    target: Tensor<D>,
    gamma: f64,
    alpha: Option<f64>,
) -> Tensor<D> {
    same_shape("logits", &logits, &target);
    let other = target.clone().neg().add_scalar(1.0);
    let factor = binary_cross_entropy(logits.clone(), other)
        .mul_scalar(-gamma)
        .exp();
    let loss = factor.mul(binary_cross_entropy(logits, target.clone()));
    match alpha {
        None => loss,
        Some(alpha) => loss.mul(target.mul_scalar(2.0 * alpha - 1.0).add_scalar(1.0 - alpha)),
    }
}

/// The focal loss of one class among several, row by row: `-α[t] (1 - p_t)^γ ln p_t` with
/// `p = softmax(logits)`; without `alpha` the factors are 1. The mean of it is over rows, not over the
/// sum of their `α`.
///
/// `1 - p_t` is the other classes' share of the exponentials, so it keeps its digits where `p_t`
/// rounds to 1.
///
/// # Shapes
/// - logits: `[B, C]`, `C` at least 2
/// - target: `[B]`, class numbers `0..C` as floats
/// - alpha: `C` factors
/// - output: `[B]`
///
/// # Panics
/// If the numbers of rows, or of classes and factors, differ; the message has both. A class number
/// outside `0..C` is for the caller to refuse
/// ([`Targets::labels`](crate::objective::Targets::labels)).
#[must_use]
pub fn focal(logits: Tensor<2>, target: Tensor<1>, gamma: f64, alpha: Option<&[f64]>) -> Tensor<1> {
    let [rows, classes] = logits.dims();
    assert!(
        [rows] == target.dims() && alpha.is_none_or(|alpha| alpha.len() == classes),
        "focal loss: logits have shape {:?}, target {:?}, alpha {:?}; there must be one class per \
         row, and one factor per class",
        logits.dims(),
        target.dims(),
        alpha.map(<[f64]>::len)
    );
    let device = logits.device();
    let class = target.int().reshape([rows, 1]);
    let numbers = Tensor::<1, Int>::arange(0..classes as i64, &device).reshape([1, classes]);
    let is_target: Tensor<2, Bool> = class
        .clone()
        .expand([rows, classes])
        .equal(numbers.expand([rows, classes]));
    let log = log_softmax(logits.clone(), 1).gather(1, class.clone());
    let all = logits.clone().gather(1, class.clone()).sub(log.clone());
    let others = logits.mask_fill(is_target, HIDDEN);
    // The shift cancels in the sum, so it has no gradient.
    let largest = stop_gradient(others.clone().max_dim(1));
    let others = others
        .sub(largest.clone().expand([rows, classes]))
        .exp()
        .sum_dim(1)
        .log()
        .add(largest);
    let factor = others.sub(all).mul_scalar(gamma).exp();
    let loss = factor.mul(log.neg());
    let loss = match alpha {
        None => loss,
        Some(alpha) => {
            let alpha = TensorData::new(alpha.to_vec(), [classes]);
            let alpha = Tensor::<1>::from_data(alpha, (&device, loss.dtype()));
            loss.mul(alpha.select(0, class.reshape([rows])).reshape([rows, 1]))
        }
    };
    loss.reshape([rows])
}
