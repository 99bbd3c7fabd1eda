//! Operation inputs that may be absent: the dispatch macro does not know `Option`.

// The types that the derive makes for fusion have none.
#![cfg_attr(feature = "fusion", allow(missing_debug_implementations))]

use burn::backend::autodiff::Autodiff;
use burn::backend::autodiff::ops::NodeGuard;
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::{BoolTensor, FloatTensor};
use burn::backend::{Backend, ExtensionType, TensorMetadata};

/// A float tensor or nothing.
#[derive(ExtensionType, Clone, Debug)]
#[extension_type(fusion: cfg(feature = "fusion"))]
pub enum OptionalFloat<B: Backend> {
    /// No tensor.
    Absent,
    /// A tensor.
    Present(FloatTensor<B>),
}

impl<B: Backend> OptionalFloat<B> {
    /// As the standard type.
    pub fn into_option(self) -> Option<FloatTensor<B>> {
        match self {
            Self::Absent => None,
            Self::Present(tensor) => Some(tensor),
        }
    }
}

impl<B: Backend> From<Option<FloatTensor<B>>> for OptionalFloat<B> {
    fn from(value: Option<FloatTensor<B>>) -> Self {
        value.map_or(Self::Absent, Self::Present)
    }
}

/// A bool tensor or nothing.
#[derive(ExtensionType, Clone, Debug)]
#[extension_type(fusion: cfg(feature = "fusion"))]
pub enum OptionalBool<B: Backend> {
    /// No tensor.
    Absent,
    /// A tensor.
    Present(BoolTensor<B>),
}

impl<B: Backend> OptionalBool<B> {
    /// As the standard type.
    pub fn into_option(self) -> Option<BoolTensor<B>> {
        match self {
            Self::Absent => None,
            Self::Present(tensor) => Some(tensor),
        }
    }
}

impl<B: Backend> From<Option<BoolTensor<B>>> for OptionalBool<B> {
    fn from(value: Option<BoolTensor<B>>) -> Self {
        value.map_or(Self::Absent, Self::Present)
    }
}

/// The node of `tensor` as a parent of an operation; where there is none, that of a constant of the type
/// and on the device of `like`.
pub(crate) fn node_or_constant<B: Backend>(
    tensor: Option<&FloatTensor<Autodiff<B>>>,
    like: &FloatTensor<Autodiff<B>>,
) -> NodeGuard {
    match tensor {
        Some(tensor) => tensor.node(),
        None => {
            let (device, dtype) = (like.device(), like.dtype().into());
            Autodiff::<B>::float_zeros([1].into(), &device, dtype).node()
        }
    }
}
