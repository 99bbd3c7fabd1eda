//! The terms of the loss.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Bool, Int, Tensor};
use forge_nn::ops::Axes;

/// InfoNCE in both directions: the cross-entropy of finding, among all rows' projections, the one of
/// the same row; `z zᵀ / temperature` are the logits. The mean of both directions and all rows.
///
/// # Shapes
/// - clean, corrupted: `[B, P]`
/// - output: `[1]`
pub(super) fn contrastive([clean, corrupted]: [Tensor<2>; 2], temperature: f64) -> Tensor<1> {
    let [rows, _] = clean.dims();
    let logits = clean.matmul(corrupted.transposed()) / temperature;
    let row = Tensor::<1, Int>::arange(0..rows as i64, &logits.device());
    let other = row
        .clone()
        .unsqueeze_dim::<2>(1)
        .expand([rows, rows])
        .not_equal(row.unsqueeze_dim::<2>(0).expand([rows, rows]));
    let both = log_softmax(logits.clone(), 1) + log_softmax(logits, 0);
    both.mask_fill(other, 0.0).sum() / (-2.0 * rows as f64)
}

/// Mean cross-entropy of the codes that are present.
///
/// # Shapes
/// - logits: `[B, C]`, codes, present: `[B, 1]`
/// - output: `[1]`
pub(super) fn cross_entropy(
    logits: Tensor<2>,
    codes: Tensor<2, Int>,
    present: Option<Tensor<2, Bool>>,
) -> Tensor<1> {
    let codes = match &present {
        Some(present) => codes.mask_fill(present.clone().bool_not(), 0),
        None => codes,
    };
    mean_present(-log_softmax(logits, 1).gather(1, codes), present)
}

/// Mean squared error of the numbers that are present.
///
/// # Shapes
/// - y, x, present: `[B, F]`
/// - output: `[1]`
pub(super) fn squared_error(
    y: Tensor<2>,
    x: Tensor<2>,
    present: Option<Tensor<2, Bool>>,
) -> Tensor<1> {
    let x = match &present {
        Some(present) => x.mask_fill(present.clone().bool_not(), 0.0),
        None => x,
    };
    mean_present((y - x).square(), present)
}

/// The mean of `errors` where something is present; 0 where nothing is.
fn mean_present(errors: Tensor<2>, present: Option<Tensor<2, Bool>>) -> Tensor<1> {
    let Some(present) = present else {
        return errors.mean();
    };
    let count = errors
        .ones_like()
        .mask_fill(present.clone().bool_not(), 0.0)
        .sum();
    errors.mask_fill(present.bool_not(), 0.0).sum() / count.clamp_min(1.0)
}
