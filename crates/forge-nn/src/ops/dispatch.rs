//! Which devices go through the operations' traits.

use burn::backend::DispatchDevice;
use burn::tensor::Device;

/// Whether the traits of this module are implemented for the backend behind `device`.
///
/// False for devices that another crate of the same program compiled in (remote, capture): they
/// run the references.
pub(crate) fn has_traits(device: &Device) -> bool {
    match device.as_dispatch().clone().inner() {
        #[cfg(feature = "flex")]
        DispatchDevice::Flex(_) => true,
        #[cfg(feature = "ndarray")]
        DispatchDevice::NdArray(_) => true,
        #[cfg(feature = "cube")]
        DispatchDevice::Cube(_) => true,
        _ => false,
    }
}

/// Whether `device` records operations for which this crate has a mark.
pub(crate) fn records(device: &Device) -> bool {
    match device.as_dispatch() {
        #[cfg(feature = "capture")]
        DispatchDevice::Capture(_) => true,
        _ => false,
    }
}

/// Whether dropout masks come from a seed: the `flex` kernels compute them on the fly, so that no
/// mask is ever stored. Elsewhere the backend's own generator is faster than a mask made here.
pub(crate) fn masks_from_seed(device: &Device) -> bool {
    match device.as_dispatch().clone().inner() {
        #[cfg(feature = "flex")]
        DispatchDevice::Flex(_) => true,
        _ => false,
    }
}

/// Whether the seed of attention's dropout stays on the device: the programs for GPUs compute the
/// mask from it, and reading it back would make the host wait for all that is queued.
pub(crate) fn draws_on_device(device: &Device) -> bool {
    match device.as_dispatch().clone().inner() {
        #[cfg(feature = "cube")]
        DispatchDevice::Cube(_) => true,
        _ => false,
    }
}
