//! Means over neighbours.

use burn::tensor::{Bool, Tensor};

/// The mean of each token and of `side` before and after it, of those that are there and count; 0
/// where there is none.
///
/// # Shapes
/// - x, output: `[B, T, D]`
/// - valid: `[B, T]`, true for tokens that count
pub(super) fn window_mean(x: Tensor<3>, side: usize, valid: Option<&Tensor<2, Bool>>) -> Tensor<3> {
    let [batch, time, width] = x.dims();
    let ones = Tensor::<3>::ones([batch, time, 1], (&x.device(), x.dtype()));
    let (x, counted) = match valid {
        Some(valid) => {
            let absent = valid.clone().bool_not().unsqueeze_dim::<3>(2);
            let counted = ones.mask_fill(absent.clone(), 0.0);
            (
                x.mask_fill(absent.expand([batch, time, width]), 0.0),
                counted,
            )
        }
        None => (x, ones),
    };
    window_sum(x, side) / window_sum(counted, side).clamp_min(1.0)
}

/// # Shapes
/// - x, output: `[B, T, D]`
fn window_sum(x: Tensor<3>, side: usize) -> Tensor<3> {
    let [batch, time, width] = x.dims();
    let zeros = || Tensor::zeros([batch, side, width], (&x.device(), x.dtype()));
    let padded = Tensor::cat(vec![zeros(), x.clone(), zeros()], 1);
    let shifted = |by: usize| padded.clone().narrow(1, by, time);
    (1..=2 * side).fold(shifted(0), |sum, by| sum + shifted(by))
}
