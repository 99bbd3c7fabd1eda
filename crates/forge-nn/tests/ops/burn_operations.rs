//! Operations of Burn's that models are made of, on the devices that `FORGE_TEST_DEVICES` names, beside
//! flex in f64: their programs have been wrong before, in the gradient alone and on one device alone.

use burn::tensor::activation::softplus;
use burn::tensor::module::{avg_pool1d, conv1d, linear, max_pool1d};
use burn::tensor::ops::{AvgPoolOptions, ConvOptions, MaxPoolOptions};
use burn::tensor::{DType, IndexingUpdateOp, Int, Tensor, TensorData};

use forge_nn::ops::Axes;

use super::devices::others;
use super::evaluation::{evaluate, evaluate_on, relative_error, values};

type Operation = fn(Tensor<3>) -> Tensor<3>;

/// No power of two among them, so that rows may be padded in memory.
const SHAPE: [usize; 3] = [5, 13, 22];

fn places(of: [usize; 2], below: usize, x: &Tensor<3>) -> Tensor<2, Int> {
    let numbers = (0..of[0] * of[1]).map(|i| (i * 7 % below) as i64);
    Tensor::from_data(TensorData::new(numbers.collect(), of), &x.device())
}

fn row(n: usize, below: usize, x: &Tensor<3>) -> Tensor<1, Int> {
    places([1, n], below, x).squeeze_dim(0)
}

/// The numbers of the input from `first` on.
fn numbers<const D: usize>(x: &Tensor<3>, first: usize, shape: [usize; D]) -> Tensor<D> {
    let n = shape.iter().product();
    let x = x.clone().flatten::<1>(0, 2);
    x.narrow(0, first, n).reshape(shape)
}

/// A part of the input in another order, as a weight.
fn weight<const D: usize>(x: &Tensor<3>, shape: [usize; D]) -> Tensor<D> {
    numbers(x, 3, shape)
}

fn convolved(x: Tensor<3>, shape: [usize; 3], groups: usize, padding: usize) -> Tensor<3> {
    let kernel = weight(&x, shape);
    conv1d(
        x,
        kernel,
        None,
        ConvOptions::new([1], [padding], [1], groups),
    )
}

fn operations() -> Vec<(&'static str, Operation)> {
    vec![
        ("swap and add", |x| {
            x.clone().swap_dims(1, 2) + x.swap_dims(1, 2).flip([1])
        }),
        ("narrow", |x| {
            x.clone().narrow(2, 3, 17) * x.narrow(2, 0, 17)
        }),
        ("narrow of swapped", |x| {
            let x = x.swap_dims(1, 2);
            x.clone().narrow(1, 1, 20) + x.narrow(1, 2, 20).mul_scalar(3.0)
        }),
        ("cat of repeats", |x| {
            let first = x.clone().narrow(2, 0, 1).repeat_dim(2, 4);
            Tensor::cat(vec![first, x.clone(), x.narrow(2, 5, 3)], 2)
        }),
        ("stack", |x| {
            let parts = vec![
                x.clone(),
                x.clone().swap_dims(0, 1).swap_dims(0, 1),
                x.sin(),
            ];
            Tensor::stack::<4>(parts, 1).sum_dim(1).squeeze_dim(1)
        }),
        ("expand", |x| {
            let part = x.clone().narrow(1, 4, 1).expand(SHAPE);
            part * x
        }),
        ("reshape of swapped", |x| {
            x.swap_dims(0, 2).reshape([13, 10, 11]).exp()
        }),
        ("sums", |x| {
            x.clone().sum_dim(1) * x.clone().mean_dim(2) + x.var(2)
        }),
        ("maximum", |x| x.clone().max_dim(1) * x.min_dim(2)),
        ("cumsum", |x| x.clone().cumsum(2) * x.cumsum(1)),
        ("select", |x| {
            let at = row(31, 13, &x);
            x.select(1, at)
        }),
        ("gather", |x| {
            let at = places([5 * 13, 9], 22, &x).reshape([5, 13, 9]);
            x.gather(2, at)
        }),
        ("scatter", |x| {
            let at = places([5 * 13, 22], 13, &x).reshape(SHAPE);
            x.zeros_like()
                .scatter(1, at, x, IndexingUpdateOp::Add)
                .powi_scalar(2)
        }),
        ("sorted", |x| x.sort_descending(2).cumsum(2)),
        ("unfold", |x| {
            let windows: Tensor<4> = x.unfold(2, 7, 3);
            windows.sin().reshape([5, 13, 6 * 7])
        }),
        ("masked", |x| {
            let rows = x.clone().greater_elem(0.2);
            x.clone()
                .mask_fill(rows.clone(), 0.0)
                .mask_where(rows, x.square())
        }),
        ("clamped", |x| x.clone().clamp(-0.4, 0.6) * x.abs()),
        ("quotients", |x| {
            x.clone() / (x.clone().square() + 0.5).sqrt() + x.tanh()
        }),
        ("logarithms", |x| {
            (x.clone().square() + 1e-3).log() * (x.exp() + 1.0).recip()
        }),
    ]
}

/// Products, which round their factors on some devices.
fn products() -> Vec<(&'static str, Operation)> {
    vec![
        ("matmul of swapped", |x| x.clone().matmul(x.swap_dims(1, 2))),
        ("matmul of expanded", |x| {
            let right: Tensor<3> = weight(&x, [22, 17]).unsqueeze_dim(0);
            x.matmul(right.expand([5, 22, 17]))
        }),
        ("linear", |x| {
            let matrix = weight(&x, [22, 19]);
            linear(x, matrix, None)
        }),
        ("convolution", |x| convolved(x, [7, 13, 5], 1, 2)),
        ("depthwise convolution", |x| convolved(x, [13, 1, 7], 13, 3)),
        ("grouped convolution", |x| {
            let x = x.narrow(1, 0, 12);
            convolved(x, [8, 3, 3], 4, 0)
        }),
    ]
}

fn check(operations: Vec<(&str, Operation)>, dtype: DType, tolerance: f64) {
    let inputs = [values(11, SHAPE.iter().product())];
    let mut wrong = vec![];
    for (name, operation) in operations {
        let run = |t: Vec<Tensor<1>>| {
            let y = operation(t[0].clone().reshape(SHAPE));
            let n = y.shape().num_elements();
            y.reshape([n])
        };
        let truth = evaluate(&run, &inputs, DType::F64);
        for device in others() {
            if !forge_nn::computes_in(&device, dtype) {
                continue;
            }
            let found = evaluate_on(&device, &run, &inputs, dtype);
            let output = relative_error(&found.output, &truth.output);
            let gradient = relative_error(&found.gradients[0], &truth.gradients[0]);
            if output > tolerance || gradient > tolerance {
                wrong.push(format!(
                    "{name}: output off by {output:.1e}, gradient by {gradient:.1e}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{dtype:?}: {}", wrong.join("; "));
}

#[test]
fn device_operations_of_burn() {
    check(operations(), DType::F32, 2e-5);
    check(operations(), DType::F64, 1e-7);
}

#[test]
fn device_products_of_burn() {
    check(products(), DType::F32, 5e-3);
    check(products(), DType::F64, 1e-10);
}

/// Small windows, as forecasters put them together.
fn small(x: &Tensor<3>) -> Tensor<3> {
    weight(x, [5, 2, 15])
}

fn parts(x: &Tensor<3>) -> Vec<Tensor<3>> {
    vec![x.clone(), x.clone().sin(), x.clone().cos()]
}

/// Rising quantiles of each step, the steps of a target beside each other.
fn rising(y: Tensor<3>) -> Tensor<3> {
    let y = y.reshape([5, 2, 5, 3]);
    let lowest = y.clone().narrow(3, 0, 1) * 1.5;
    let y = Tensor::cat(vec![lowest, softplus(y.narrow(3, 1, 2), 1.0)], 3).cumsum(3);
    y.swap_dims(1, 2).reshape([5, 2, 15])
}

/// What the ends of forecasting models are made of.
fn ends() -> Vec<(&'static str, Operation)> {
    vec![
        ("sum of a stack", |x| {
            Tensor::stack::<4>(parts(&x), 0).sum_dim(0).squeeze_dim(0)
        }),
        ("sum of a small stack", |x| {
            let all = Tensor::stack::<4>(parts(&small(&x)), 0);
            all.sum_dim(0).squeeze_dim(0)
        }),
        ("rising sum of a small stack", |x| {
            let all = Tensor::stack::<4>(parts(&small(&x)), 0);
            rising(all.sum_dim(0).squeeze_dim(0))
        }),
        ("rising sum", |x| {
            let sum = parts(&small(&x)).into_iter().reduce(|a, b| a + b);
            sum.map_or(x, rising)
        }),
        ("rising", |x| rising(small(&x))),
        ("sum of a stack in the middle", |x| {
            let all = Tensor::stack::<4>(parts(&small(&x)), 1);
            all.sum_dim(1).squeeze_dim(1)
        }),
        ("sum of joined samples", |x| {
            Tensor::cat(parts(&small(&x)), 0)
                .reshape([3, 5, 30])
                .sum_dim(0)
        }),
        ("parts of what was expanded", |x| {
            let x = small(&x).sum_dim(0).expand([5, 2, 15]);
            x.clone().narrow(0, 0, 2).exp() + x.narrow(0, 3, 2)
        }),
    ]
}

#[test]
fn device_ends_of_forecasters() {
    check(ends(), DType::F32, 2e-5);
    check(ends(), DType::F64, 1e-7);
}

fn moving(x: Tensor<3>, kernel: usize) -> Tensor<3> {
    let each = AvgPoolOptions {
        stride: [1],
        ..AvgPoolOptions::new([kernel])
    };
    avg_pool1d(x, each)
}

fn pools() -> Vec<(&'static str, Operation)> {
    vec![
        ("moving mean", |x| moving(x, 3)),
        ("moving mean over another axis", |x| {
            moving(x.swap_dims(1, 2), 5).swap_dims(1, 2).exp()
        }),
        ("moving mean of one channel", |x| {
            moving(x.reshape([65, 1, 22]), 5).exp()
        }),
        ("moving mean of whole vectors", |x| {
            moving(x.narrow(1, 0, 12), 5).exp()
        }),
        ("what a moving mean leaves", |x| {
            let first = x.clone().narrow(2, 0, 1).repeat_dim(2, 2);
            moving(Tensor::cat(vec![first, x.clone()], 2), 5) - x.narrow(2, 0, 20)
        }),
        ("means of windows", |x| {
            avg_pool1d(x, AvgPoolOptions::new([2]))
        }),
        ("largest of windows", |x| {
            max_pool1d(x.swap_dims(1, 2), MaxPoolOptions::new([2])).exp()
        }),
    ]
}

#[test]
fn device_pools_of_burn() {
    check(pools(), DType::F32, 2e-5);
    check(pools(), DType::F64, 1e-7);
}

/// Other numbers than [`weight`]'s.
fn addend<const D: usize>(x: &Tensor<3>, shape: [usize; D]) -> Tensor<D> {
    numbers(x, 211, shape)
}

/// Axes that change places where elements do not, behind and before element-wise operations.
fn turned() -> Vec<(&'static str, Operation)> {
    vec![
        ("a row that was a column", |x| {
            let z = addend(&x, [5, 1, 20]);
            let row = weight(&x, [5, 20, 1]).swapped(1, 2);
            (z.clone() + row) * z
        }),
        ("a row that was a column, twice", |x| {
            let (z, u) = (addend(&x, [5, 1, 20]), addend(&x, [5, 1, 20]).exp());
            let row = weight(&x, [5, 20, 1]).transposed();
            Tensor::cat(vec![z + row.clone().mul_scalar(0.5), row * u], 1)
        }),
        ("a column that was a row", |x| {
            let column = weight(&x, [5, 1, 20]).permuted([0, 2, 1]);
            column.sin() * addend(&x, [5, 20, 1])
        }),
        ("a column that was a row, behind and before others", |x| {
            let z = addend(&x, [5, 1, 20]);
            let column = (weight(&x, [5, 1, 20]).sin() * z.clone()).swapped(1, 2);
            column.exp() * z.swapped(1, 2)
        }),
        ("columns in another order", |x| {
            let x = weight(&x, [4, 5, 8]).unsqueeze_dim::<4>(3);
            let x = x.permuted([3, 1, 0, 2]);
            (x.clone().exp() + x).squeeze_dim(0)
        }),
    ]
}

#[test]
fn device_axes_in_another_order() {
    check(turned(), DType::F32, 2e-5);
    check(turned(), DType::F64, 1e-7);
}
