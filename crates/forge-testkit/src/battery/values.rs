//! Between tensors and numbers.

use burn::tensor::{Device, Tensor, TensorData};

/// `data` in the device's own float type.
pub(super) fn floats<const D: usize>(data: TensorData, device: &Device) -> Tensor<D> {
    Tensor::from_data(data.convert::<f32>(), device)
}

/// Values of a tensor on the host.
pub(super) fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

/// How far each value is off, relative to the largest magnitude expected, but to no less than `floor`;
/// infinitely where that is no number.
fn errors(found: &[f64], expected: &[f64], floor: f64) -> impl Iterator<Item = f64> {
    let size = expected.iter().fold(floor, |size, x| size.max(x.abs()));
    found.iter().zip(expected).map(move |(found, expected)| {
        let error = (found - expected).abs() / size;
        if error.is_nan() { f64::INFINITY } else { error }
    })
}

/// The largest of the [`errors`]; infinite if the results are not of one length.
pub(super) fn error(found: &[f64], expected: &[f64], floor: f64) -> f64 {
    match found.len() == expected.len() {
        true => errors(found, expected, floor).fold(0.0, f64::max),
        false => f64::INFINITY,
    }
}

/// Asserts that two results agree to `tolerance`, as [`errors`] measures.
pub(super) fn assert_close(
    title: &str,
    found: &[f64],
    expected: &[f64],
    tolerance: f64,
    floor: f64,
) {
    assert_eq!(found.len(), expected.len(), "{title}: number of values");
    for (i, error) in errors(found, expected, floor).enumerate() {
        assert!(
            error <= tolerance,
            "{title}: value {i} is {}, expected {}",
            found[i],
            expected[i]
        );
    }
}
