//! From tensors that carry their backend at run time to backends as types, and back.

use burn::backend::DispatchDevice;
use burn::backend::autodiff::Autodiff;
use burn::tensor::{Bool, Device, Int, Tensor};
use forge_nn::ForgeError;

use crate::{AnyTensor, Level, Value};

/// A backend that computes, with the way from and to ordinary tensors.
pub trait Base: Level {
    /// The value of a tensor on this backend, outside of any graph of derivatives.
    ///
    /// # Errors
    /// A device error if the tensor is on another backend or on a graph.
    fn take(tensor: AnyTensor) -> Result<Value<Self>, ForgeError>;

    /// The value of a tensor on this backend, with the graph that it is on; a constant if it is on
    /// none.
    ///
    /// # Errors
    /// A device error if the tensor is on another backend, or recomputes activations (gradient
    /// checkpointing).
    fn take_tracked(tensor: AnyTensor) -> Result<Value<Autodiff<Self>>, ForgeError>;

    /// An ordinary tensor.
    fn give(value: Value<Self>) -> AnyTensor;

    /// An ordinary tensor on an autodiff device.
    fn give_tracked(value: Value<Autodiff<Self>>) -> AnyTensor;
}

/// Something to do on the backend behind a device.
pub trait WithBase {
    /// What comes of it.
    type Output;

    /// Does it.
    ///
    /// # Errors
    /// As the work has them.
    fn run<B: Base>(self, device: &B::Device) -> Result<Self::Output, ForgeError>;
}

/// What the conversion says, as an error about the tensor's device.
#[cfg(any(feature = "flex", feature = "ndarray", feature = "cube"))]
fn mismatch(error: impl std::fmt::Debug) -> ForgeError {
    ForgeError::device(format!(
        "all tensors of a call must be on one device, and without gradient checkpointing \
         (use device.autodiff()): {error:?}"
    ))
}

macro_rules! base {
    ($backend:ty) => {
        impl Base for $backend {
            fn take(tensor: AnyTensor) -> Result<Value<Self>, ForgeError> {
                Ok(match tensor {
                    AnyTensor::Float(tensor) => Value::Float(
                        Tensor::<1>::from_dispatch(tensor)
                            .try_into_primitive::<Self>()
                            .map_err(mismatch)?,
                    ),
                    AnyTensor::Int(tensor) => Value::Int(
                        Tensor::<1, Int>::from_dispatch(tensor)
                            .inner()
                            .try_into_primitive::<Self>()
                            .map_err(mismatch)?,
                    ),
                    AnyTensor::Bool(tensor) => Value::Bool(
                        Tensor::<1, Bool>::from_dispatch(tensor)
                            .inner()
                            .try_into_primitive::<Self>()
                            .map_err(mismatch)?,
                    ),
                })
            }

            fn take_tracked(tensor: AnyTensor) -> Result<Value<Autodiff<Self>>, ForgeError> {
                match tensor {
                    AnyTensor::Float(tensor) => {
                        let tensor = Tensor::<1>::from_dispatch(tensor).autodiff();
                        let tensor = tensor.try_into_primitive::<Autodiff<Self>>();
                        Ok(Value::Float(tensor.map_err(mismatch)?))
                    }
                    other => Ok(Self::take(other)?.lift()),
                }
            }

            fn give(value: Value<Self>) -> AnyTensor {
                match value {
                    Value::Float(tensor) => {
                        AnyTensor::float(Tensor::<1>::from_primitive::<Self>(tensor))
                    }
                    Value::Int(tensor) => {
                        AnyTensor::int(Tensor::<1, Int>::from_primitive::<Self>(tensor))
                    }
                    Value::Bool(tensor) => {
                        AnyTensor::bool(Tensor::<1, Bool>::from_primitive::<Self>(tensor))
                    }
                }
            }

            fn give_tracked(value: Value<Autodiff<Self>>) -> AnyTensor {
                match value {
                    Value::Float(tensor) => {
                        AnyTensor::float(Tensor::<1>::from_primitive::<Autodiff<Self>>(tensor))
                    }
                    Value::Int(tensor) => {
                        AnyTensor::int(Tensor::<1, Int>::from_primitive::<Autodiff<Self>>(tensor))
                    }
                    Value::Bool(tensor) => {
                        AnyTensor::bool(Tensor::<1, Bool>::from_primitive::<Autodiff<Self>>(tensor))
                    }
                }
            }
        }
    };
}

#[cfg(feature = "flex")]
base!(burn::backend::Flex);
#[cfg(feature = "ndarray")]
base!(burn::backend::NdArray);
#[cfg(feature = "cube")]
base!(burn::backend::Cube);

/// Does `work` on the backend behind `device`.
///
/// # Errors
/// A device error where graphs cannot be replayed: devices that record, remote ones, and backends
/// that this crate was compiled without. Else as the work has them.
pub fn with_base<W: WithBase>(device: &Device, work: W) -> Result<W::Output, ForgeError> {
    match device.as_dispatch().clone().inner() {
        #[cfg(feature = "flex")]
        DispatchDevice::Flex(device) => work.run::<burn::backend::Flex>(&device),
        #[cfg(feature = "ndarray")]
        DispatchDevice::NdArray(device) => work.run::<burn::backend::NdArray>(&device),
        #[cfg(feature = "cube")]
        DispatchDevice::Cube(device) => work.run::<burn::backend::Cube>(&device),
        #[allow(unreachable_patterns)]
        other => Err(ForgeError::device(format!(
            "{other:?} cannot replay a recorded function; move the module to a flex, ndarray or \
             CubeCL device whose feature is on"
        ))),
    }
}
