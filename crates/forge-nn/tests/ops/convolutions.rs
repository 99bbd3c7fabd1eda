//! Convolutions of each channel by itself beside sums of shifted channels.

use burn::tensor::Tensor;
use forge_nn::ops;

use super::cases::{Case, case, part};
use super::evaluation::values;

/// Batch, channels, steps and taps: fewer steps than taps, whole blocks of both, and rests.
pub(crate) fn depthwise() -> Vec<Case> {
    let sizes = [
        [1, 1, 1, 1],
        [2, 3, 2, 5],
        [1, 2, 32, 5],
        [3, 2, 37, 3],
        [2, 5, 67, 51],
        [3, 131, 64, 7],
    ];
    let cases = sizes.map(|[batch, channels, time, size]| {
        let inputs = vec![
            values(1, batch * channels * time),
            values(2, channels * size),
        ];
        let sides = move |t: &[Tensor<1>]| {
            let x: Tensor<3> = part(t, 0).reshape([batch, channels, time]);
            (x, part(t, 1).reshape([channels, 1, size]))
        };
        case(
            format!("depthwise {batch}x{channels}x{time} by {size}"),
            inputs,
            batch * channels * time < 100,
            move |t| {
                let (x, weight) = sides(&t);
                ops::depthwise_conv1d(x, weight).flatten(0, 2)
            },
            move |t| {
                let (x, weight) = sides(&t);
                let side = size / 2;
                let zeros = Tensor::zeros([batch, channels, side], (&x.device(), x.dtype()));
                let x = Tensor::cat(vec![zeros.clone(), x, zeros], 2);
                let tap = |k| {
                    let weight = weight.clone().swap_dims(0, 1).narrow(2, k, 1);
                    x.clone().narrow(2, k, time) * weight
                };
                let sum = (1..size).fold(tap(0), |sum, k| sum + tap(k));
                sum.flatten(0, 2)
            },
        )
    });
    cases.into()
}

/// Batch, steps, channels and taps, with and without a bias; tokens in their place in a wider projection.
pub(crate) fn causal() -> Vec<Case> {
    let sizes = [
        [1, 1, 1, 1],
        [2, 2, 3, 4],
        [3, 7, 2, 3],
        [2, 37, 70, 4],
        [1, 5, 131, 2],
    ];
    let grid = sizes
        .into_iter()
        .flat_map(|sizes| [(sizes, false), (sizes, true)]);
    let cases = grid.map(|([batch, time, channels, size], wide)| {
        let width = if wide { channels + 3 } else { channels };
        let inputs = vec![
            values(1, batch * time * width),
            values(2, channels * size),
            values(3, channels),
        ];
        let sides = move |t: &[Tensor<1>]| {
            let x: Tensor<3> = part(t, 0).reshape([batch, time, width]);
            let weight: Tensor<3> = part(t, 1).reshape([channels, 1, size]);
            let bias = wide.then(|| part(t, 2));
            (x.narrow(2, width - channels, channels), weight, bias)
        };
        case(
            format!("causal {batch}x{time}x{channels} by {size}, in a wider one: {wide}"),
            inputs,
            batch * time * channels < 100,
            move |t| {
                let (x, weight, bias) = sides(&t);
                ops::causal_conv1d(x, weight, bias).flatten(0, 2)
            },
            move |t| {
                let (x, weight, bias) = sides(&t);
                let zeros = Tensor::zeros([batch, size, channels], (&x.device(), x.dtype()));
                let x = Tensor::cat(vec![zeros, x], 1);
                let tap = |k| {
                    let weight = weight.clone().narrow(2, k, 1).reshape([1, 1, channels]);
                    x.clone().narrow(1, k + 1, time) * weight
                };
                let sum = (1..size).fold(tap(0), |sum, k| sum + tap(k));
                let sum = match bias {
                    Some(bias) => sum + bias.reshape([1, 1, channels]),
                    None => sum,
                };
                sum.flatten(0, 2)
            },
        )
    });
    cases.collect()
}

/// Rows, groups and the size of a block, with and without a bias; rows in their place in a wider tensor.
pub(crate) fn block_diagonals() -> Vec<Case> {
    let sizes = [
        [1, 1, 1],
        [7, 3, 2],
        [5, 4, 4],
        [131, 9, 8],
        [300, 17, 4],
        [9, 2, 5],
    ];
    let grid = sizes
        .into_iter()
        .flat_map(|sizes| [(sizes, false), (sizes, true)]);
    let cases = grid.map(|([rows, groups, size], wide)| {
        let channels = groups * size;
        let width = if wide { channels + 3 } else { channels };
        let sides = move |t: &[Tensor<1>]| {
            let x: Tensor<2> = part(t, 0).reshape([rows, width]);
            let weight: Tensor<3> = part(t, 1).reshape([groups, size, size]);
            let bias = wide.then(|| part(t, 2));
            (x.narrow(1, width - channels, channels), weight, bias)
        };
        case(
            format!("block_diagonal {rows}x{groups}x{size}, in a wider one: {wide}"),
            vec![
                values(1, rows * width),
                values(2, channels * size),
                values(3, channels),
            ],
            rows * channels < 100,
            move |t| {
                let (x, weight, bias) = sides(&t);
                ops::block_diagonal(x, weight, bias).flatten(0, 1)
            },
            move |t| {
                let (x, weight, bias) = sides(&t);
                let x = x.reshape([rows, groups, size]).swap_dims(0, 1);
                let y = x.matmul(weight.swap_dims(1, 2)).swap_dims(0, 1);
                let y = y.reshape([rows, channels]);
                let y = match bias {
                    Some(bias) => y + bias.reshape([1, channels]),
                    None => y,
                };
                y.flatten(0, 1)
            },
        )
    });
    cases.collect()
}
