//! Batch normalisation beside its formula.

use burn::tensor::{DType, Device, Tensor};
use forge_nn::ops;

use super::cases::{Case, View, case, part, scaled};
use super::evaluation::{evaluate, evaluate_on, tensor, values};

const EPSILON: f64 = 1e-5;

/// Groups, rows, channels and positions; of the larger ones one group, or both together, are several tasks.
pub(super) const SIZES: [[usize; 4]; 13] = [
    [1, 7, 5, 1],
    [1, 1, 1, 1],
    [1, 1, 4, 1],
    [3, 6, 4, 1],
    [2, 131, 37, 1],
    [1, 300, 257, 1],
    [2, 400, 130, 1],
    [1, 2_048, 40, 1],
    [1, 3, 2, 2],
    [1, 1, 3, 7],
    [2, 4, 3, 17],
    [1, 65, 37, 41],
    [2, 8, 40, 129],
];

pub(crate) fn batch_norms() -> Vec<Case> {
    let mut cases = Vec::new();
    for [groups, rows, width, positions] in SIZES {
        // Not rows that are all the same: what is left of their gradient is rounding.
        for (view, size) in View::ALL.into_iter().zip([1.0, 30.0, 1e-2]) {
            let (all, across) = (groups * rows, width * positions);
            let grouped = move |t: &[Tensor<1>]| {
                let x = view.of(part(t, 0), all, across);
                x.reshape([groups, rows, width, positions])
            };
            cases.push(case(
                format!("batch_norm {groups}x{rows}x{width}x{positions} {view:?}"),
                vec![
                    scaled(4, view.len(all, across), size),
                    values(5, width),
                    values(6, width),
                ],
                all < 20 && rows * positions > 2 && size == 1.0,
                move |t| {
                    let (y, _, _) = ops::batch_norm(grouped(&t), part(&t, 1), part(&t, 2), EPSILON);
                    y.flatten(0, 3)
                },
                move |t| {
                    let x = grouped(&t);
                    let centred = x.clone() - x.mean_dim(1).mean_dim(3);
                    let variance = (centred.clone() * centred.clone()).mean_dim(1);
                    let variance = variance.mean_dim(3);
                    let along = |i| part(&t, i).reshape([1, 1, width, 1]);
                    let normal = centred / (variance + EPSILON).sqrt();
                    (normal * along(1) + along(2)).flatten(0, 3)
                },
            ));
        }
    }
    cases
}

/// Mean and variance come with the output, and no gradient goes through them.
#[test]
fn statistics_are_those_of_each_group() {
    for [groups, rows, width, positions] in SIZES {
        let x = scaled(7, groups * rows * width * positions, 3.0);
        let statistics = move |t: Vec<Tensor<1>>| {
            let x = part(&t, 0).reshape([groups, rows, width, positions]);
            let (y, mean, var) = ops::batch_norm(x, part(&t, 1), part(&t, 2), EPSILON);
            let both = Tensor::cat(vec![mean, var], 0).flatten(0, 1);
            // So that there is a gradient to ask for.
            both + y.sum() * 0.0
        };
        let inputs = [x.clone(), vec![1.0; width], vec![0.0; width]];
        for (dtype, tolerance) in [(DType::F64, 1e-12), (DType::F32, 1e-5)] {
            let found = evaluate(&statistics, &inputs, dtype);
            let count = (rows * positions) as f64;
            for (group, x) in x.chunks(rows * width * positions).enumerate() {
                for column in 0..width {
                    let runs = || x.chunks(positions).skip(column).step_by(width);
                    let values = || runs().flatten();
                    let mean = values().sum::<f64>() / count;
                    let squares = values().map(|x| (x - mean) * (x - mean));
                    let var = squares.sum::<f64>() / count;
                    let at = group * width + column;
                    assert!((found.output[at] - mean).abs() < tolerance, "mean at {at}");
                    let off = (found.output[groups * width + at] - var).abs();
                    assert!(off < 10.0 * tolerance, "variance at {at}: off by {off:e}");
                }
            }
            assert!(found.gradients[0].iter().all(|&dx| dx == 0.0));
        }
    }
}

/// Columns of one value are the bias, whatever that value is: its mean is that value.
#[test]
fn columns_of_equal_values_are_the_bias() {
    assert_bias_on(&Device::flex(), &[DType::F32, DType::F64, DType::F16]);
}

pub(crate) fn assert_bias_on(device: &Device, types: &[DType]) {
    for level in [0.1f32, -3.3, 1e3, 1e5, -7.7e6, 1e12] {
        for [rows, width, positions] in [
            [1, 3, 1],
            [7, 5, 1],
            [131, 3, 1],
            [1_500, 40, 1],
            [1, 3, 2],
            [7, 3, 131],
        ] {
            let op = move |t: Vec<Tensor<1>>| {
                let x = part(&t, 0).reshape([1, rows, width, positions]);
                let (y, _, _) = ops::batch_norm(x, part(&t, 1), part(&t, 2), EPSILON);
                y.flatten(0, 3)
            };
            let inputs = [
                vec![f64::from(level); rows * width * positions],
                values(5, width),
                values(6, width),
            ];
            let fits = |dtype: &DType| *dtype != DType::F16 || level.abs() < 6e4;
            for dtype in types.iter().copied().filter(fits) {
                let ours = evaluate_on(device, &op, &inputs, dtype);
                let bias = tensor(&inputs[2], dtype, &Device::flex());
                let bias: Vec<f64> = bias.into_data().iter().collect();
                for (i, &y) in ours.output.iter().enumerate() {
                    let bias = bias[i / positions % width];
                    assert_eq!(y, bias, "{rows} of {level} in {dtype:?}");
                }
            }
        }
    }
}

/// The variance of a column far from 0 is not what is left of two large squares.
#[test]
fn columns_far_from_zero_are_right() {
    let (rows, width) = (1_700, 40);
    for (level, positions) in [(1e3f32, 1), (1e5, 1), (1e3, 17), (1e5, 17)] {
        let step = f64::from(level) * 1e-4;
        let x = (0..rows * width).map(|i| f64::from(level) + step * ((i * i) % 13) as f64);
        let x: Vec<f64> = x.map(|x| f64::from(x as f32)).collect();
        let op = move |t: Vec<Tensor<1>>| {
            let x = part(&t, 0).reshape([1, rows / positions, width, positions]);
            let (y, _, _) = ops::batch_norm(x, part(&t, 1), part(&t, 2), 1e-12);
            y.flatten(0, 3)
        };
        let inputs = [x, vec![1.0; width], vec![0.0; width]];
        let truth = evaluate(&op, &inputs, DType::F64).output;
        let ours = evaluate(&op, &inputs, DType::F32).output;
        for (y, want) in ours.iter().zip(&truth) {
            assert!((y - want).abs() < 1e-3, "{y} for {want} at {level}");
        }
    }
}
