//! Recording devices.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use burn::tensor::{DType, Device, DeviceConfig};
use forge_nn::ForgeError;

/// The element types that tensors have by default on a device.
type Defaults = [String; 3];

/// Recording devices that are free. Burn has 65,536 for a process, and one records one function at
/// a time.
static FREE: Mutex<BTreeMap<Defaults, Vec<Device>>> = Mutex::new(BTreeMap::new());

/// A recording device for as long as it is held. Tensors have the element types on it by default
/// that they have on another device, except floats.
#[derive(Debug)]
pub(crate) struct Recorder {
    pub(crate) device: Device,
    defaults: Defaults,
}

impl Recorder {
    /// One that records what would happen on `like` with floats of type `float`.
    pub(crate) fn new(float: DType, like: &Device) -> Result<Self, ForgeError> {
        let settings = like.settings();
        let (int, bool) = (settings.int_dtype, settings.bool_dtype);
        let defaults = [
            format!("{float:?}"),
            format!("{int:?}"),
            format!("{bool:?}"),
        ];
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(device) = free.get_mut(&defaults).and_then(Vec::pop) {
            return Ok(Self { device, defaults });
        }
        let mut device = Device::capture();
        let config = DeviceConfig::default()
            .float_dtype(float)
            .int_dtype(int)
            .bool_dtype(bool);
        // The device answers only while it records.
        let (recording, mut configured) = (device.clone(), Ok(()));
        let empty = recording.capture_scope(|scope| {
            configured = device.configure(config);
            scope.complete([], [])
        });
        empty.map_err(|error| ForgeError::device(format!("nothing can be recorded: {error}")))?;
        configured.map_err(|error| {
            ForgeError::device(format!(
                "a function cannot be recorded in {float:?}: {error}"
            ))
        })?;
        Ok(Self { device, defaults })
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        let free = free.entry(self.defaults.clone()).or_default();
        free.push(self.device.clone());
    }
}
