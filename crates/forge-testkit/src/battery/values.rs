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

/// The largest difference of two results, relative to the largest magnitude expected, but to no less
/// than `floor`; nothing if they are not of one length. What is no number differs infinitely.
pub(super) fn error(found: &[f64], expected: &[f64], floor: f64) -> Option<f64> {
    let size = expected.iter().fold(floor, |size, x| size.max(x.abs()));
    let errors = found.iter().zip(expected).map(|(found, expected)| {
        let difference = (found - expected).abs();
        match (difference.is_nan(), difference > 0.0) {
            (true, _) => f64::INFINITY,
            (false, true) => difference / size,
            (false, false) => 0.0,
        }
    });
    (found.len() == expected.len()).then(|| errors.fold(0.0, f64::max))
}

/// Asserts that two results agree to `tolerance`, relative to the largest magnitude expected, but
/// to no less than `floor`.
pub(super) fn assert_close(
    title: &str,
    found: &[f64],
    expected: &[f64],
    tolerance: f64,
    floor: f64,
) {
    assert_eq!(found.len(), expected.len(), "{title}: number of values");
    let size = expected.iter().fold(floor, |size, x| size.max(x.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (found - expected).abs() / size;
        assert!(
            error <= tolerance,
            "{title}: value {i} is {found}, expected {expected}"
        );
    }
}
