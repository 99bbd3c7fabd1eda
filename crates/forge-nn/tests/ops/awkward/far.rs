//! Activations far from 0, where what is left of `1 - erf` or of a sigmoid is multiplied by the
//! distance.

use burn::tensor::{DType, Tensor};
use forge_nn::ops::{Activation, GluKind, LinearActivation, activated, glu, linear_activation};

use crate::ops::evaluation::{evaluate, values};

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

/// What `op` makes of numbers from `from` on ends at 0 below and at the numbers themselves above.
fn assert_op_ends(name: &str, from: f64, op: impl Fn(Tensor<2>) -> Tensor<2>) {
    let points = points(from);
    let len = points.len();
    let flat = |t: Vec<Tensor<1>>| op(t[0].clone().reshape([len, 1])).flatten(0, 1);
    for dtype in [DType::F32, DType::F64] {
        let ours = evaluate(&flat, std::slice::from_ref(&points), dtype);
        let cotangent = values(99, len);
        let gradients = ours.gradients[0].iter().zip(&cotangent);
        let slopes: Vec<f64> = gradients.map(|(g, c)| g / c).collect();
        let name = format!("{name} in {dtype:?}");
        assert_ends(&name, &ours.output, &slopes, &points);
    }
}

#[test]
fn gelu_and_silu_end_at_zero() {
    for (activation, from) in [
        (LinearActivation::Gelu, 5.6),
        (LinearActivation::Silu, 30.0),
    ] {
        assert_op_ends(&format!("{activation:?} of a layer"), from, |x| {
            let one = Tensor::ones([1, 1], (&x.device(), x.dtype()));
            linear_activation(x, one, None, activation)
        });
    }
    for (activation, from) in [
        (Activation::Gelu, 5.6),
        (Activation::GeluTanh, 5.6),
        (Activation::Silu, 30.0),
        (Activation::Mish, 30.0),
    ] {
        let name = format!("{activation:?}");
        assert_op_ends(&name, from, |x| activated(x, activation));
    }
}

#[test]
fn the_slope_of_gelu_ends_at_zero_and_one() {
    let points = points(8.0);
    for dtype in [DType::F32, DType::F64] {
        let op = |t: Vec<Tensor<1>>| activated(t[0].clone(), Activation::GeluTanhSlope);
        let ours = evaluate(&op, std::slice::from_ref(&points), dtype);
        let ends: Vec<f64> = points
            .iter()
            .map(|&x| f64::from(u8::from(x > 0.0)))
            .collect();
        assert_eq!(ours.output, ends, "{dtype:?}");
        assert!(ours.gradients[0].iter().all(|&g| g == 0.0), "{dtype:?}");
    }
}

#[test]
fn gates_end_at_zero() {
    for (kind, from) in [(GluKind::Gelu, 5.6), (GluKind::Silu, 30.0)] {
        assert_op_ends(&format!("{kind:?}"), from, |gate| {
            let one = gate.clone().mul_scalar(0.0).add_scalar(1.0);
            glu(Tensor::cat(vec![one, gate], 1), kind)
        });
    }
}
