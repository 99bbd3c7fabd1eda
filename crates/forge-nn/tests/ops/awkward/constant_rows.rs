//! Rows whose elements are all equal, or nearly: there is nothing to normalise.

use burn::tensor::{DType, Device, Tensor};
use forge_nn::ModuleConfig;
use forge_nn::norm::RevInConfig;
use forge_nn::ops::{layer_norm, softmax};

use crate::ops::evaluation::{evaluate, evaluate_on, tensor, values};

/// Neither the values nor their sums are whole multiples of a power of two.
const LEVELS: [f64; 6] = [0.1, -3.3, 1e3, 1e5, -7.7e6, 1e12];
const WIDTHS: [usize; 6] = [1, 3, 7, 37, 192, 1031];

#[test]
fn layer_norm_of_equal_elements_is_the_bias() {
    // The reference, which serves other devices, runs in types that have no kernel.
    assert_bias_on(&Device::flex(), &[DType::F32, DType::F64, DType::F16]);
}

pub(crate) fn assert_bias_on(device: &Device, types: &[DType]) {
    for (width, level) in WIDTHS.into_iter().flat_map(|w| LEVELS.map(|l| (w, l))) {
        let level = f64::from(level as f32);
        let op = move |t: Vec<Tensor<1>>| {
            let x = t[0].clone().reshape([3, width]);
            layer_norm(x, Some(t[1].clone()), Some(t[2].clone()), 1e-5).flatten(0, 1)
        };
        let inputs = [vec![level; 3 * width], values(5, width), values(6, width)];
        let fits = |dtype: &DType| *dtype != DType::F16 || level.abs() < 6e4;
        for dtype in types.iter().copied().filter(fits) {
            let ours = evaluate_on(device, &op, &inputs, dtype);
            let bias = tensor(&inputs[2], dtype, &Device::flex());
            let bias: Vec<f64> = bias.into_data().iter().collect();
            for (i, &y) in ours.output.iter().enumerate() {
                assert_eq!(y, bias[i % width], "{width} of {level} in {dtype:?}");
            }
            // What the weight is multiplied by.
            let zero = |d: &f64| *d == 0.0;
            assert!(ours.gradients[1].iter().all(zero), "{width} of {level}");
        }
    }
}

/// Rows that differ in their last bits only are normalised as f64 would.
#[test]
fn layer_norm_of_nearly_equal_elements_is_right() {
    for level in [1e3f32, 1e5, -7.7e6] {
        let step = f64::from(level.abs() * f32::EPSILON);
        let x: Vec<f64> = (0..4 * 37)
            .map(|i| f64::from((f64::from(level) + step * ((i * i) % 5) as f64) as f32))
            .collect();
        let op = |t: Vec<Tensor<1>>| {
            layer_norm(t[0].clone().reshape([4, 37]), None, None, 1e-5).flatten(0, 1)
        };
        let truth = evaluate(&op, std::slice::from_ref(&x), DType::F64).output;
        let ours = evaluate_on(&Device::flex(), &op, &[x], DType::F32).output;
        for (y, want) in ours.iter().zip(&truth) {
            assert!((y - want).abs() < 1e-5, "{y} for {want} at {level}");
        }
    }
}

#[test]
fn a_constant_window_is_zero_in_rev_in() {
    let device = Device::flex();
    for level in LEVELS {
        let revin = RevInConfig::new(2).init(&device);
        let window = Tensor::<3>::full([3, 7, 2], level, &device);
        let (normal, statistics) = revin.normalize(window.clone());
        let y: Vec<f64> = normal.clone().into_data().iter().collect();
        assert!(y.iter().all(|&y| y == 0.0), "{y:?} at {level}");
        let back = revin.denormalize(normal, &statistics);
        assert_eq!(back.into_data(), window.into_data());
    }
}

#[test]
fn softmax_of_equal_elements_is_uniform() {
    let device = Device::flex();
    for (width, level) in WIDTHS.into_iter().flat_map(|w| LEVELS.map(|l| (w, l))) {
        let y = softmax(Tensor::<2>::full([2, width], level, &device), 1);
        for y in y.into_data().iter::<f64>() {
            assert!(
                (y * width as f64 - 1.0).abs() < 1e-6,
                "{width} of {level}: {y}"
            );
        }
    }
}
