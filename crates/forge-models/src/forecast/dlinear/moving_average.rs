//! A moving average over time.

use burn::tensor::Tensor;
use burn::tensor::module::avg_pool1d;
use burn::tensor::ops::AvgPoolOptions;

/// The mean of the `kernel` steps around each step (odd), where before the first and after the last
/// stand the first and the last again.
///
/// # Shapes
/// - x and output: `[B, N, T]`
pub(crate) fn moving_average(x: Tensor<3>, kernel: usize) -> Tensor<3> {
    let time = x.dims()[2];
    let side = (kernel - 1) / 2;
    if side == 0 {
        return x;
    }
    let first = x.clone().narrow(2, 0, 1).repeat_dim(2, side);
    let last = x.clone().narrow(2, time - 1, 1).repeat_dim(2, side);
    let padded = Tensor::cat(vec![first, x, last], 2);
    avg_pool1d(
        padded,
        AvgPoolOptions {
            stride: [1],
            ..AvgPoolOptions::new([kernel])
        },
    )
}
