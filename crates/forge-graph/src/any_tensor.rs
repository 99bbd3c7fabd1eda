//! A tensor whose rank and element kind are not in its type.

use burn::backend::ops::{BoolTensorOps, FloatTensorOps, IntTensorOps};
use burn::backend::tensor::BoolTensor;
use burn::backend::{Dispatch, DispatchTensor, TensorMetadata};
use burn::tensor::{Bool, DType, Device, Int, Slice, Tensor, TensorData};

/// A tensor of any rank and element kind, on any device. Cloning is cheap.
#[derive(Debug, Clone)]
pub enum AnyTensor {
    /// Floats.
    Float(DispatchTensor),
    /// Integers.
    Int(DispatchTensor),
    /// Booleans.
    Bool(BoolTensor<Dispatch>),
}

impl AnyTensor {
    /// Of floats.
    #[must_use]
    pub fn float<const D: usize>(tensor: Tensor<D>) -> Self {
        Self::Float(tensor.into_dispatch())
    }

    /// Of integers.
    #[must_use]
    pub fn int<const D: usize>(tensor: Tensor<D, Int>) -> Self {
        Self::Int(tensor.into_dispatch())
    }

    /// Of booleans.
    #[must_use]
    pub fn bool<const D: usize>(tensor: Tensor<D, Bool>) -> Self {
        Self::Bool(tensor.into_dispatch())
    }

    /// What `data` holds, on `device`.
    #[must_use]
    pub fn from_data(data: TensorData, device: &Device) -> Self {
        // The rank of an ordinary tensor is in its type, that of data is not.
        let device = device.as_dispatch().clone().inner();
        match data.dtype() {
            dtype if dtype.is_float() => Self::Float(Dispatch::float_from_data(data, &device)),
            dtype if dtype.is_bool() => Self::Bool(Dispatch::bool_from_data(data, &device)),
            _ => Self::Int(Dispatch::int_from_data(data, &device)),
        }
    }

    /// Its values on the host.
    #[must_use]
    pub fn into_data(self) -> TensorData {
        match self {
            Self::Float(tensor) => Tensor::<1>::from_dispatch(tensor).into_data(),
            Self::Int(tensor) => Tensor::<1, Int>::from_dispatch(tensor).into_data(),
            Self::Bool(tensor) => Tensor::<1, Bool>::from_dispatch(tensor).into_data(),
        }
    }

    /// The length of each axis.
    #[must_use]
    pub fn shape(&self) -> Vec<usize> {
        self.dispatch().shape().to_vec()
    }

    /// The element type.
    #[must_use]
    pub fn dtype(&self) -> DType {
        self.dispatch().dtype()
    }

    /// Where it is.
    #[must_use]
    pub fn device(&self) -> Device {
        match self.clone() {
            Self::Float(tensor) => Tensor::<1>::from_dispatch(tensor).device(),
            Self::Int(tensor) => Tensor::<1, Int>::from_dispatch(tensor).device(),
            Self::Bool(tensor) => Tensor::<1, Bool>::from_dispatch(tensor).device(),
        }
    }

    /// Whether it carries a graph of derivatives: floats of an autodiff device.
    #[must_use]
    pub fn is_autodiff(&self) -> bool {
        match self {
            Self::Float(tensor) => Tensor::<1>::from_dispatch(tensor.clone()).is_autodiff(),
            _ => false,
        }
    }

    /// The same values outside of any graph of derivatives.
    #[must_use]
    pub fn without_autodiff(self) -> Self {
        match self {
            Self::Float(tensor) => {
                Self::float(Tensor::<1>::from_dispatch(tensor).without_autodiff())
            }
            Self::Int(tensor) => Self::int(Tensor::<1, Int>::from_dispatch(tensor).inner()),
            Self::Bool(tensor) => Self::bool(Tensor::<1, Bool>::from_dispatch(tensor).inner()),
        }
    }

    /// The same values on `device`.
    #[must_use]
    pub fn to_device(self, device: &Device) -> Self {
        match self {
            Self::Float(tensor) => {
                Self::float(Tensor::<1>::from_dispatch(tensor).to_device(device))
            }
            Self::Int(tensor) => {
                Self::int(Tensor::<1, Int>::from_dispatch(tensor).to_device(device))
            }
            Self::Bool(tensor) => {
                Self::bool(Tensor::<1, Bool>::from_dispatch(tensor).to_device(device))
            }
        }
    }

    /// One row, as a batch of one.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn row(self, row: usize) -> Self {
        let slices = [Slice::from(row..row + 1)];
        match self {
            Self::Float(tensor) => Self::Float(Dispatch::float_slice(tensor, &slices)),
            Self::Int(tensor) => Self::Int(Dispatch::int_slice(tensor, &slices)),
            Self::Bool(tensor) => Self::Bool(Dispatch::bool_slice(tensor, &slices)),
        }
    }

    /// The same rows, each as a batch of one: with an axis of length 1 after the first.
    #[must_use]
    pub fn each_row_alone(self) -> Self {
        let mut shape = self.shape();
        shape.insert(shape.len().min(1), 1);
        let shape = shape.into();
        match self {
            Self::Float(tensor) => Self::Float(Dispatch::float_reshape(tensor, shape)),
            Self::Int(tensor) => Self::Int(Dispatch::int_reshape(tensor, shape)),
            Self::Bool(tensor) => Self::Bool(Dispatch::bool_reshape(tensor, shape)),
        }
    }

    /// What the element kind is called.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Float(_) => "floats",
            Self::Int(_) => "integers",
            Self::Bool(_) => "booleans",
        }
    }

    fn dispatch(&self) -> &DispatchTensor {
        match self {
            Self::Float(tensor) | Self::Int(tensor) | Self::Bool(tensor) => tensor,
        }
    }
}
