//! The log loss of one class among several.

use burn::tensor::{Tensor, activation::log_softmax};

/// `-ln softmax(logits)[target]`, row by row: PyTorch's `cross_entropy` without reduction.
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
pub fn cross_entropy(logits: Tensor<2>, target: Tensor<1>) -> Tensor<1> {
    let [rows, _] = logits.dims();
    assert_eq!(
        [rows],
        target.dims(),
        "cross-entropy: logits have shape {:?}, target {:?}; there must be one class per row",
        logits.dims(),
        target.dims()
    );
    let class = target.int().reshape([rows, 1]);
    log_softmax(logits, 1)
        .gather(1, class)
        .neg()
        .reshape([rows])
}
