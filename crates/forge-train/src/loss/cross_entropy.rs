//! The log loss of one class among several.

use burn::tensor::{Tensor, activation::log_softmax};

/// `-ln softmax(logits)[target]`, row by row: PyTorch's `cross_entropy` without reduction. See
/// [`smoothed_cross_entropy`].
///
/// # Shapes
/// - logits: `[B, C]`
/// - target: `[B]`, class numbers `0..C` as floats
/// - output: `[B]`
///
/// # Panics
/// As [`smoothed_cross_entropy`].
#[must_use]
pub fn cross_entropy(logits: Tensor<2>, target: Tensor<1>) -> Tensor<1> {
    smoothed_cross_entropy(logits, target, 0.0)
}

/// `-(1 - ε) ln p[target] - ε/C Σ ln p` with `p = softmax(logits)`, row by row: PyTorch's
/// `cross_entropy` without reduction, `ε` being its `label_smoothing` (see [`smoothed`](super::smoothed)); 0 for the
/// plain log loss.
///
/// The largest logit of a row is subtracted first, so nothing overflows.
///
/// # Shapes
/// - logits: `[B, C]`
/// - target: `[B]`, class numbers `0..C` as floats
/// - output: `[B]`
///
/// # Panics
/// If the numbers of rows differ; the message has both shapes. A class number outside `0..C` is
/// for the caller to refuse: what a backend does with it (another class, a panic) is its own.
#[must_use]
pub fn smoothed_cross_entropy(
    logits: Tensor<2>,
    target: Tensor<1>,
    label_smoothing: f64,
) -> Tensor<1> {
    let [rows, _] = logits.dims();
    assert_eq!(
        [rows],
        target.dims(),
        "cross-entropy: logits have shape {:?}, target {:?}; there must be one class per row",
        logits.dims(),
        target.dims()
    );
    let class = target.int().reshape([rows, 1]);
    let log = log_softmax(logits, 1);
    let loss = log.clone().gather(1, class).neg();
    let loss = match label_smoothing {
        0.0 => loss,
        part => loss.mul_scalar(1.0 - part) - log.mean_dim(1).mul_scalar(part),
    };
    loss.reshape([rows])
}
