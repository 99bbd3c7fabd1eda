//! Devices by name: what `--device` and configuration files say.

use std::fmt;
use std::str::FromStr;

use burn::tensor::{DType, Device, FloatDType, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use crate::ForgeError;

/// A backend that this library can be compiled with.
///
/// All names are known in every build, so that asking for one that is not compiled in gives an
/// error that says how to get it.
///
/// ```
/// use forge_nn::DeviceName;
/// let name: DeviceName = "flex".parse()?;
/// # #[cfg(feature = "flex")]
/// let device = name.open()?;
/// assert!("gpu".parse::<DeviceName>().is_err());
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceName {
    /// Pure-Rust CPU, the default.
    Flex,
    /// The older pure-Rust CPU backend; Burn 0.23 drops it.
    Ndarray,
    /// CubeCL kernels compiled for the CPU.
    Cpu,
    /// WebGPU: whichever of Vulkan, Metal or DirectX there is.
    Wgpu,
    /// Vulkan with SPIR-V kernels.
    Vulkan,
    /// Apple Metal.
    Metal,
    /// NVIDIA CUDA, the first GPU.
    Cuda,
    /// AMD ROCm, the first GPU.
    Rocm,
}

/// Every name, whether compiled in and its text: one list for parsing, printing and errors.
const NAMES: [(DeviceName, bool, &str); 8] = [
    (DeviceName::Flex, cfg!(feature = "flex"), "flex"),
    (DeviceName::Ndarray, cfg!(feature = "ndarray"), "ndarray"),
    (DeviceName::Cpu, cfg!(feature = "cpu"), "cpu"),
    (DeviceName::Wgpu, cfg!(feature = "wgpu"), "wgpu"),
    (DeviceName::Vulkan, cfg!(feature = "vulkan"), "vulkan"),
    (DeviceName::Metal, cfg!(feature = "metal"), "metal"),
    (DeviceName::Cuda, cfg!(feature = "cuda"), "cuda"),
    (DeviceName::Rocm, cfg!(feature = "rocm"), "rocm"),
];

impl DeviceName {
    /// The names compiled into this binary.
    #[must_use]
    pub fn compiled() -> Vec<Self> {
        NAMES
            .iter()
            .filter(|(_, compiled, _)| *compiled)
            .map(|(name, ..)| *name)
            .collect()
    }

    /// Opens the device and runs one small operation on it.
    ///
    /// # Errors
    /// A device error if the backend is not compiled in (naming the feature) or no such device
    /// answers on this machine.
    pub fn open(self) -> Result<Device, ForgeError> {
        self.opened(None)
    }

    /// Opens the device with `dtype` as the type of all float tensors that do not name another:
    /// weights, tables and what is computed of them. Burn lets a device's type be chosen once per
    /// process, before its first tensor.
    ///
    /// ```
    /// use burn::tensor::{DType, FloatDType, Tensor};
    /// use forge_nn::DeviceName;
    ///
    /// # #[cfg(feature = "flex")] {
    /// let device = DeviceName::Flex.open_in(FloatDType::F64)?;
    /// assert_eq!(Tensor::<1>::ones([1], &device).dtype(), DType::F64);
    /// # }
    /// # Ok::<(), forge_nn::ForgeError>(())
    /// ```
    ///
    /// # Errors
    /// As [`open`](Self::open); and a device error if the device does not have the type, or was used
    /// in another one before.
    pub fn open_in(self, dtype: FloatDType) -> Result<Device, ForgeError> {
        self.opened(Some(dtype))
    }

    fn opened(self, dtype: Option<FloatDType>) -> Result<Device, ForgeError> {
        if !Self::compiled().contains(&self) {
            let compiled: Vec<String> = Self::compiled().iter().map(ToString::to_string).collect();
            return Err(ForgeError::device(format!(
                "'{self}' is not compiled into this binary; build with the feature '{self}' \
                 (compiled in: {})",
                compiled.join(", ")
            )));
        }
        // Burn opens GPU devices lazily and panics when there is none.
        let probe = std::panic::catch_unwind(|| {
            let mut device = self.device()?;
            let configured = dtype.map(|dtype| device.configure(dtype));
            let one = Tensor::<1>::ones([1], &device);
            let found = one.dtype();
            let _ = one.into_data();
            Some((device, found, configured))
        });
        let (device, found, configured) = probe.ok().flatten().ok_or_else(|| {
            ForgeError::device(format!(
                "'{self}' is compiled in, but no such device answers on this machine"
            ))
        })?;
        match dtype {
            // Chosen before, if it says that it could not be chosen now.
            Some(dtype) if found != DType::from(dtype) => {
                let reason = match configured {
                    Some(Err(error)) => error.to_string(),
                    _ => "the type was not taken".into(),
                };
                Err(ForgeError::device(format!(
                    "'{self}' computes in {found:?} and not in {dtype:?}: {reason}"
                )))
            }
            _ => Ok(device),
        }
    }

    fn device(self) -> Option<Device> {
        match self {
            #[cfg(feature = "flex")]
            Self::Flex => Some(Device::flex()),
            #[cfg(feature = "ndarray")]
            #[allow(deprecated)] // the one place that touches what Burn 0.23 drops
            Self::Ndarray => Some(Device::ndarray()),
            #[cfg(feature = "cpu")]
            Self::Cpu => Some(Device::cpu()),
            #[cfg(feature = "wgpu")]
            Self::Wgpu => Some(Device::wgpu(burn::tensor::DeviceKind::DefaultDevice)),
            #[cfg(feature = "vulkan")]
            Self::Vulkan => Some(Device::vulkan(burn::tensor::DeviceKind::DefaultDevice)),
            #[cfg(feature = "metal")]
            Self::Metal => Some(Device::metal(burn::tensor::DeviceKind::DefaultDevice)),
            #[cfg(feature = "cuda")]
            Self::Cuda => Some(Device::cuda(0)),
            #[cfg(feature = "rocm")]
            Self::Rocm => Some(Device::rocm(0)),
            #[allow(unreachable_patterns)] // all backends may be compiled in
            _ => None,
        }
    }
}

/// Whether `device` is one of the backends that compute in this process, at once (`flex`, `ndarray`):
/// reading a value back waits for nothing, and half precision goes by way of f32.
///
/// ```
/// # #[cfg(feature = "flex")]
/// assert!(forge_nn::is_host(&burn::tensor::Device::flex()));
/// ```
#[must_use]
pub fn is_host(device: &Device) -> bool {
    use burn::backend::DispatchDevice;
    match device.clone().inner().as_dispatch() {
        #[cfg(feature = "flex")]
        DispatchDevice::Flex(_) => true,
        #[cfg(feature = "ndarray")]
        DispatchDevice::NdArray(_) => true,
        _ => false,
    }
}

/// Whether `device` computes in the float type `dtype`: it says so, and a small computation comes
/// out right.
///
/// A device's word alone is not enough. Burn's `cpu` backend says that it has bf16, but on
/// processors without AVX-512 BF16 its compiler lacks the conversion and results are garbage;
/// WebGPU devices may say that they have f64, which WGSL does not know.
///
/// ```
/// use burn::tensor::{DType, Device};
/// # #[cfg(feature = "flex")]
/// assert!(forge_nn::computes_in(&Device::flex(), DType::F64));
/// assert!(!forge_nn::computes_in(&Device::default(), DType::I32));
/// ```
#[must_use]
pub fn computes_in(device: &Device, dtype: DType) -> bool {
    // The distance from 1 to the next number, which nothing less precise can tell from 0.
    let step = match dtype {
        DType::F64 => f64::EPSILON,
        DType::F32 | DType::Flex32 => f64::from(f32::EPSILON),
        DType::F16 => 2f64.powi(-10),
        DType::BF16 => 2f64.powi(-7),
        _ => return false,
    };
    if !device.supports_dtype(dtype) {
        return false;
    }
    let wide = FloatDType::from(if dtype == DType::F64 {
        dtype
    } else {
        DType::F32
    });
    let probe = std::panic::catch_unwind(|| {
        let given = [1.0 + step, -1.5, 3.0, 0.25];
        let x = Tensor::<1>::from_data(TensorData::from(given), (device, DType::from(wide)));
        let x = x.cast(FloatDType::from(dtype));
        let exact = (x.clone() * x.clone()) - x.clone();
        let rounded = x.exp();
        let read = |t: Tensor<1>| t.cast(wide).into_data().iter::<f64>().collect::<Vec<_>>();
        let wanted = [step, 3.75, 6.0, -0.1875];
        let close = |(got, want): (f64, f64)| (got - want).abs() <= 8.0 * step * want.abs();
        read(exact).into_iter().zip(wanted).all(close)
            && read(rounded)
                .into_iter()
                .zip(given.map(f64::exp))
                .all(close)
    });
    probe.unwrap_or(false)
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = NAMES.iter().find(|(name, ..)| name == self);
        f.write_str(text.map_or("", |(.., text)| text))
    }
}

impl FromStr for DeviceName {
    type Err = ForgeError;

    fn from_str(text: &str) -> Result<Self, ForgeError> {
        let lower = text.to_ascii_lowercase();
        NAMES
            .iter()
            .find(|(.., name)| *name == lower)
            .map(|(name, ..)| *name)
            .ok_or_else(|| {
                let known: Vec<&str> = NAMES.iter().map(|(.., name)| *name).collect();
                ForgeError::config("device", text, format!("one of {}", known.join(", ")))
            })
    }
}
