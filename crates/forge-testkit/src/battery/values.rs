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
