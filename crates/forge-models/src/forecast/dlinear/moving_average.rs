//! The mean around each step.

use burn::tensor::Tensor;

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
    sum_of_windows(padded, kernel) / kernel as f64
}

/// The sum of each `kernel` steps that follow each other: those of 1, 2, 4, … steps are made of two
/// of half their length, and `kernel` is put together of them.
///
/// Not Burn's pooling: on CUDA its gradient is wrong in 0.22.
///
/// # Shapes
/// - x: `[B, N, T]`, output: `[B, N, T - kernel + 1]`
fn sum_of_windows(x: Tensor<3>, kernel: usize) -> Tensor<3> {
    let windows = x.dims()[2] + 1 - kernel;
    let (mut sums, mut length) = (x, 1);
    let mut total: Option<Tensor<3>> = None;
    let mut covered = 0;
    loop {
        if kernel & length != 0 {
            let part = sums.clone().narrow(2, covered, windows);
            covered += length;
            total = Some(match total {
                Some(total) => total + part,
                None => part,
            });
        }
        if covered == kernel {
            break total.unwrap_or(sums);
        }
        let steps = sums.dims()[2] - length;
        sums = sums.clone().narrow(2, 0, steps) + sums.narrow(2, length, steps);
        length *= 2;
    }
}
