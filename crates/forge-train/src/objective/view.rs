//! Outputs and targets as an objective sees them.

use burn::tensor::{DType, Tensor};

/// The smallest sum of weights that is divided by.
const TINY: f64 = 1e-30;

/// Outputs `[B, S, W]` and targets `[B, S]` of the same float type, f32 where the model computes in
/// half precision: a loss in 11 bits of mantissa would not show progress.
///
/// # Panics
/// If the shapes do not fit.
pub(super) fn slots(
    y: Tensor<2>,
    target: Tensor<2>,
    slots: usize,
    width: usize,
) -> (Tensor<3>, Tensor<2>) {
    let [rows, _] = y.dims();
    assert!(
        y.dims() == [rows, slots * width] && target.dims() == [rows, slots],
        "objective: outputs have shape {:?}, targets {:?}; they must be [B, {}] and [B, {slots}]: \
         {slots} target(s) of {width} output(s)",
        y.dims(),
        target.dims(),
        slots * width,
    );
    let dtype = match y.dtype() {
        DType::F16 | DType::BF16 => DType::F32,
        other => other,
    };
    let y = y.cast(dtype).reshape([rows, slots, width]);
    (y, target.cast(dtype))
}

/// Outputs `[B, K, D_out]` of `K` members as rows `[B·K, D_out]`, the targets `[B, S]` once for each
/// member of a row, and `[B, K]`.
pub(super) fn members(y: Tensor<3>, target: Tensor<2>) -> (Tensor<2>, Tensor<2>, [usize; 2]) {
    let ([rows, members, d_out], [targets, slots]) = (y.dims(), target.dims());
    assert!(
        rows == targets,
        "objective: members have shape [{rows}, {members}, {d_out}], targets [{targets}, {slots}]: \
         there must be one row of targets per row"
    );
    let target = target
        .unsqueeze_dim::<3>(1)
        .expand([rows, members, slots])
        .reshape([rows * members, slots]);
    (y.reshape([rows * members, d_out]), target, [rows, members])
}

/// The mean of the rows' losses, `Σ w l / Σ w`; 0 where all weights are.
pub(super) fn weighted_mean(rows: Tensor<1>, weights: Option<Tensor<1>>) -> Tensor<1> {
    let Some(weights) = weights else {
        return rows.mean();
    };
    assert_eq!(
        rows.dims(),
        weights.dims(),
        "objective: there must be one weight per row"
    );
    let weights = weights.cast(rows.dtype());
    let total = weights.clone().sum().clamp_min(TINY);
    rows.mul(weights.div(total)).sum()
}

/// Output `at` of every slot, `[B, S]`.
pub(super) fn output(y: &Tensor<3>, at: usize) -> Tensor<2> {
    y.clone().narrow(2, at, 1).squeeze_dim(2)
}

/// The mean over targets, `[B]`.
pub(super) fn mean_over_slots(losses: Tensor<2>) -> Tensor<1> {
    losses.mean_dim(1).squeeze_dim(1)
}
