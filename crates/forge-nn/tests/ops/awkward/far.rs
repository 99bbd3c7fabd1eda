//! Activations far from 0, where what is left of `1 - erf` or of a sigmoid is multiplied by the
//! distance.

use burn::tensor::{DType, Tensor};
use forge_nn::ops::{GluKind, LinearActivation, glu, linear_activation};

use crate::ops::evaluation::evaluate;

const FAR: [f64; 9] = [5.6, 8.0, 13.2, 30.0, 88.5, 104.0, 1e4, 1e20, 3e38];

/// A gate that is shut far below 0 and the value far above, in both passes.
fn assert_ends(name: &str, output: &[f64], slopes: &[f64], points: &[f64]) {
    for ((&y, &slope), &x) in output.iter().zip(slopes).zip(points) {
        let (value, gradient) = if x < 0.0 { (0.0, 0.0) } else { (x, 1.0) };
        assert!(
            (y - value).abs() <= 1e-6 * value.abs().max(1.0),
            "{name}: {y} at {x}"
        );
        assert!(
            (slope - gradient).abs() < 2e-6,
            "{name}: slope {slope} at {x}"
        );
        if x <= -1e4 {
            assert_eq!(y.abs(), 0.0, "{name} at {x}");
            assert_eq!(slope.abs(), 0.0, "{name}: slope at {x}");
        }
    }
}

fn points(from: f64) -> Vec<f64> {
    let far = FAR.into_iter().filter(|&x| x >= from);
    far.flat_map(|x| [f64::from(x as f32), f64::from(-x as f32)])
        .collect()
}

#[test]
fn gelu_and_silu_end_at_zero() {
    for (activation, from) in [
        (LinearActivation::Gelu, 5.6),
        (LinearActivation::Silu, 30.0),
    ] {
        let points = points(from);
        let len = points.len();
        let op = move |t: Vec<Tensor<1>>| {
            let x = t[0].clone().reshape([len, 1]);
            let one = Tensor::ones([1, 1], (&x.device(), x.dtype()));
            linear_activation(x, one, None, activation).flatten(0, 1)
        };
        for dtype in [DType::F32, DType::F64] {
            let ours = evaluate(&op, std::slice::from_ref(&points), dtype);
            let cotangent = crate::ops::evaluation::values(99, len);
            let slopes: Vec<f64> = ours.gradients[0]
                .iter()
                .zip(&cotangent)
                .map(|(g, c)| g / c)
                .collect();
            assert_ends(
                &format!("{activation:?} in {dtype:?}"),
                &ours.output,
                &slopes,
                &points,
            );
        }
    }
}

#[test]
fn gates_end_at_zero() {
    for (kind, from) in [(GluKind::Gelu, 5.6), (GluKind::Silu, 30.0)] {
        let points = points(from);
        let len = points.len();
        let op = move |t: Vec<Tensor<1>>| {
            let gate = t[0].clone().reshape([len, 1]);
            let x = Tensor::cat(vec![gate.clone().mul_scalar(0.0).add_scalar(1.0), gate], 1);
            glu(x, kind).flatten(0, 1)
        };
        for dtype in [DType::F32, DType::F64] {
            let ours = evaluate(&op, std::slice::from_ref(&points), dtype);
            let cotangent = crate::ops::evaluation::values(99, len);
            let slopes: Vec<f64> = ours.gradients[0]
                .iter()
                .zip(&cotangent)
                .map(|(g, c)| g / c)
                .collect();
            assert_ends(
                &format!("{kind:?} in {dtype:?}"),
                &ours.output,
                &slopes,
                &points,
            );
        }
    }
}
