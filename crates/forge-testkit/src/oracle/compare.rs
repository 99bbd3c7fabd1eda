//! Computed against expected.

use std::collections::BTreeMap;

use burn::tensor::TensorData;

use super::report::PrecisionReport;
use super::{Case, Precision};

/// The largest magnitude in a tensor.
fn magnitude(data: &TensorData) -> f64 {
    data.iter::<f64>().map(f64::abs).fold(0.0, f64::max)
}

fn is_gradient(key: &str) -> bool {
    key.starts_with("grad")
}

/// Compares what was computed with everything that the case expects.
///
/// The error of a tensor is its largest difference, relative to the largest magnitude expected in
/// it; but to no less than what makes [`Precision::floor`] the smallest difference that counts,
/// so that a gradient which is zero by symmetry and sits at rounding level is not divided by
/// itself.
pub(super) fn compare(
    case: &Case,
    precision: Precision,
    found: &BTreeMap<String, TensorData>,
) -> PrecisionReport {
    let largest = |gradient: bool| {
        let tensors = case
            .expected()
            .filter(|(key, _)| is_gradient(key) == gradient);
        tensors.map(|(_, data)| magnitude(data)).fold(0.0, f64::max)
    };
    let scales = [largest(false), largest(true)];
    let mut report = PrecisionReport::default();
    let mut judge = |key: &str, expected: Option<&TensorData>, found: &TensorData| {
        let gradient = is_gradient(key);
        let allowed = precision.tolerance(gradient);
        let size = expected.map_or(0.0, magnitude);
        let size = size.max(precision.floor(scales[usize::from(gradient)]) / allowed);
        let error = difference(expected, found) / size;
        let worst = if gradient {
            &mut report.gradients
        } else {
            &mut report.outputs
        };
        *worst = Some(worst.unwrap_or(0.0).max(error));
        if error > allowed {
            let precision = precision.name();
            report
                .problems
                .push(format!("{key} differs by {error:.1e} in {precision}"));
        }
    };
    let mut missing = vec![];
    // Outputs first: a wrong output makes every gradient wrong.
    let (gradients, outputs): (Vec<_>, Vec<_>) =
        case.expected().partition(|(key, _)| is_gradient(key));
    for (key, expected) in outputs.into_iter().chain(gradients) {
        match found.get(key) {
            None => missing.push(format!("{key} was not computed")),
            Some(data) if data.shape() != expected.shape() => {
                let (found, expected) = (data.shape().as_slice(), expected.shape().as_slice());
                missing.push(format!("{key} is {found:?}, expected {expected:?}"));
            }
            Some(data) => judge(key, Some(expected), data),
        }
    }
    // A parameter without a gradient in the file does not reach the output.
    for (key, data) in found {
        if key.starts_with("grad/") && case.get(key).is_none() {
            judge(key, None, data);
        }
    }
    report.problems.splice(0..0, missing);
    report
}

/// The largest difference; from zero where nothing is expected. Infinite for NaN, which
/// `f64::max` would drop.
fn difference(expected: Option<&TensorData>, found: &TensorData) -> f64 {
    let mut zeros = std::iter::repeat(0.0);
    let mut values = expected.map(|data| data.iter::<f64>());
    let mut next = || match &mut values {
        Some(values) => values.next().unwrap_or(f64::NAN),
        None => zeros.next().unwrap_or(0.0),
    };
    let differences = found.iter::<f64>().map(|value| (value - next()).abs());
    differences.fold(0.0, |worst, d| {
        if d.is_nan() {
            f64::INFINITY
        } else {
            worst.max(d)
        }
    })
}
