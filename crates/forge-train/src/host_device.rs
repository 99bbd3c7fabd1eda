//! Devices that are the host.

use burn::tensor::Device;

/// Whether it is one of the backends that compute on the host, at once: reading a value back waits
/// for nothing, and half precision goes by way of f32.
pub(crate) fn is_host(device: &Device) -> bool {
    use burn::backend::DispatchDevice;
    match device.clone().inner().as_dispatch() {
        #[cfg(feature = "flex")]
        DispatchDevice::Flex(_) => true,
        #[cfg(feature = "ndarray")]
        DispatchDevice::NdArray(_) => true,
        _ => false,
    }
}
