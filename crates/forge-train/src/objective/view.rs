//! Outputs and targets as an objective sees them.

use burn::tensor::{DType, Tensor};
use forge_nn::{ForgeError, Forward};

use crate::loss::Reduction;

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

/// Outputs `[B, K, D_out]` of `K` members as rows `[B·K, D_out]`, and `K`; those of a model without
/// members as they are.
pub(super) fn flat(forward: &Forward, target: &Tensor<2>) -> (Tensor<2>, Option<usize>) {
    let Some(members) = &forward.members else {
        return (forward.y.clone(), None);
    };
    let ([rows, k, d_out], [targets, slots]) = (members.dims(), target.dims());
    assert!(
        rows == targets,
        "objective: members have shape [{rows}, {k}, {d_out}], targets [{targets}, {slots}]: there \
         must be one row of targets per row"
    );
    (members.clone().reshape([rows * k, d_out]), Some(k))
}

/// Rows `[B, W]` once for each member of a row, `[B·K, W]`.
pub(super) fn for_members(rows: Tensor<2>, members: Option<usize>) -> Tensor<2> {
    let Some(k) = members else {
        return rows;
    };
    let [n, width] = rows.dims();
    rows.unsqueeze_dim::<3>(1)
        .expand([n, k, width])
        .reshape([n * k, width])
}

/// Losses `[B·K]` of members as those of rows, `[B]`.
pub(super) fn mean_over_members(losses: Tensor<1>, members: Option<usize>) -> Tensor<1> {
    let Some(k) = members else {
        return losses;
    };
    let rows = losses.dims()[0] / k;
    losses.reshape([rows, k]).mean_dim(1).squeeze_dim(1)
}

/// The mean of the rows' losses, `Σ w l / Σ w`; 0 where all weights are.
pub(super) fn weighted_mean(rows: Tensor<1>, weights: Option<Tensor<1>>) -> Tensor<1> {
    Reduction::Mean.apply_weighted(rows, weights)
}

/// A teacher predicts as many targets.
pub(super) fn same_slots(found: usize, slots: usize) -> Result<(), ForgeError> {
    if found == slots {
        return Ok(());
    }
    let (found, expected) = (format!("{found} targets"), format!("the student's {slots}"));
    Err(ForgeError::shape(
        "the teacher's predictions",
        found,
        expected,
    ))
}

/// Output `at` of every slot, `[B, S]`.
pub(super) fn output(y: &Tensor<3>, at: usize) -> Tensor<2> {
    y.clone().narrow(2, at, 1).squeeze_dim(2)
}

/// The mean over targets, `[B]`.
pub(super) fn mean_over_slots(losses: Tensor<2>) -> Tensor<1> {
    losses.mean_dim(1).squeeze_dim(1)
}
