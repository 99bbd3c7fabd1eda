//! Values and gradients of a function of flat vectors, in a chosen dtype.

use burn::tensor::{DType, Device, Tensor, TensorData};

/// Output and gradients of all inputs for the loss `Σ output · cotangent`.
#[derive(Clone, Debug)]
pub(crate) struct Evaluation {
    pub(crate) output: Vec<f64>,
    pub(crate) gradients: Vec<Vec<f64>>,
}

pub(crate) type Function<'a> = &'a dyn Fn(Vec<Tensor<1>>) -> Tensor<1>;

/// Reproducible values in (-1, 1).
pub(crate) fn values(seed: u64, len: usize) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            // Rounded, so that the f32 and f64 runs see the same numbers.
            f64::from(((state >> 11) as f64 / (1u64 << 52) as f64 - 1.0) as f32)
        })
        .collect()
}

pub(crate) fn tensor(values: &[f64], dtype: DType, device: &Device) -> Tensor<1> {
    let data = TensorData::new(values.to_vec(), [values.len()]);
    Tensor::from_data(data, (device, dtype))
}

pub(crate) fn evaluate(function: Function<'_>, inputs: &[Vec<f64>], dtype: DType) -> Evaluation {
    evaluate_on(&Device::flex(), function, inputs, dtype)
}

pub(crate) fn evaluate_on(
    device: &Device,
    function: Function<'_>,
    inputs: &[Vec<f64>],
    dtype: DType,
) -> Evaluation {
    let device = device.clone().autodiff();
    let leaves: Vec<_> = inputs
        .iter()
        .map(|values| tensor(values, dtype, &device).require_grad())
        .collect();
    let output = function(leaves.clone());
    let cotangent = tensor(&values(99, output.dims()[0]), dtype, &device);
    let grads = (output.clone() * cotangent).sum().backward();
    Evaluation {
        output: output.into_data().iter::<f64>().collect(),
        gradients: leaves
            .iter()
            .zip(inputs)
            .map(|(leaf, values)| match leaf.grad(&grads) {
                Some(grad) => grad.into_data().iter::<f64>().collect(),
                None => vec![0.0; values.len()],
            })
            .collect(),
    }
}

/// The largest absolute difference, relative to the largest magnitude of `want`. The floor is for
/// gradients that vanish identically and are all rounding.
pub(crate) fn relative_error(got: &[f64], want: &[f64]) -> f64 {
    assert_eq!(got.len(), want.len());
    let scale = want.iter().fold(0.05f64, |max, x| max.max(x.abs()));
    got.iter()
        .zip(want)
        .map(|(a, b)| {
            assert!(a.is_finite(), "{a} where {b} is right");
            (a - b).abs() / scale
        })
        .fold(0.0, f64::max)
}

/// `op` agrees with `reference`: in f64 to rounding, in f32 within the budget for kernels (error
/// at most twice the reference's own in f32, three times for gradients, plus a few ulp), and its
/// gradient with finite differences.
pub(crate) fn assert_agrees(
    name: &str,
    op: Function<'_>,
    reference: Function<'_>,
    inputs: &[Vec<f64>],
) {
    let truth = evaluate(reference, inputs, DType::F64);
    let ours = evaluate(op, inputs, DType::F64);
    let error = relative_error(&ours.output, &truth.output);
    assert!(error < 1e-12, "{name}: f64 output is off by {error:e}");
    for (i, (ours, truth)) in ours.gradients.iter().zip(&truth.gradients).enumerate() {
        let error = relative_error(ours, truth);
        assert!(
            error < 2e-12,
            "{name}: f64 gradient {i} is off by {error:e}"
        );
    }

    assert_within_budget([&Device::flex(); 2], name, op, reference, &truth, inputs);
}

/// In f32 on `device`, `op` is within the budget for kernels: an error of at most twice the
/// reference's own on `naive_device`, three times for gradients, plus a few ulp.
pub(crate) fn assert_within_budget(
    [device, naive_device]: [&Device; 2],
    name: &str,
    op: Function<'_>,
    reference: Function<'_>,
    truth: &Evaluation,
    inputs: &[Vec<f64>],
) {
    let naive = evaluate_on(naive_device, reference, inputs, DType::F32);
    let ours = evaluate_on(device, op, inputs, DType::F32);
    let ulp = f64::from(f32::EPSILON);
    let budget = 2.0 * relative_error(&naive.output, &truth.output) + 4.0 * ulp;
    let error = relative_error(&ours.output, &truth.output);
    assert!(
        error <= budget,
        "{name}: f32 output is off by {error:e}, allowed {budget:e}"
    );
    for i in 0..inputs.len() {
        let truth = &truth.gradients[i];
        let budget = 3.0 * relative_error(&naive.gradients[i], truth) + 8.0 * ulp;
        let error = relative_error(&ours.gradients[i], truth);
        assert!(
            error <= budget,
            "{name}: f32 gradient {i} is off by {error:e}, allowed {budget:e}"
        );
    }
}

/// The gradient of `op` along random directions against central differences, in f64.
pub(crate) fn assert_differentiates(name: &str, op: Function<'_>, inputs: &[Vec<f64>]) {
    let analytic = evaluate(op, inputs, DType::F64);
    let cotangent = values(99, analytic.output.len());
    let loss = |inputs: &[Vec<f64>]| -> f64 {
        let output = evaluate(op, inputs, DType::F64).output;
        output.iter().zip(&cotangent).map(|(y, c)| y * c).sum()
    };
    for (i, input) in inputs.iter().enumerate() {
        let direction = values(1000 + i as u64, input.len());
        let along: f64 = analytic.gradients[i]
            .iter()
            .zip(&direction)
            .map(|(g, d)| g * d)
            .sum();
        let shifted = |by: f64| {
            let mut inputs = inputs.to_vec();
            for (x, d) in inputs[i].iter_mut().zip(&direction) {
                *x += by * d;
            }
            loss(&inputs)
        };
        let step = 1e-5;
        let numeric = (shifted(step) - shifted(-step)) / (2.0 * step);
        let error = (numeric - along).abs() / along.abs().max(1.0);
        assert!(
            error < 1e-6,
            "{name}: input {i}: slope {along} but differences say {numeric}"
        );
    }
}
