//! A tensor on one backend.

use burn::backend::AutodiffBackend;
use burn::backend::autodiff::Autodiff;
use burn::backend::tensor::{BoolTensor, FloatTensor, IntTensor};

use crate::Level;

/// A tensor of any rank and element kind on the backend `B`. Cloning is cheap.
#[derive(Debug)]
pub enum Value<B: Level> {
    /// Floats.
    Float(FloatTensor<B>),
    /// Integers.
    Int(IntTensor<B>),
    /// Booleans.
    Bool(BoolTensor<B>),
}

impl<B: Level> Clone for Value<B> {
    fn clone(&self) -> Self {
        match self {
            Self::Float(tensor) => Self::Float(tensor.clone()),
            Self::Int(tensor) => Self::Int(tensor.clone()),
            Self::Bool(tensor) => Self::Bool(tensor.clone()),
        }
    }
}

impl<B: Level> Value<B> {
    /// The same value one level higher, where it is a constant. On its own level it stays on its
    /// graph.
    #[must_use]
    pub fn lift(self) -> Value<Autodiff<B>> {
        match self {
            Self::Float(tensor) => Value::Float(Autodiff::<B>::from_inner(tensor)),
            Self::Int(tensor) => Value::Int(Autodiff::<B>::int_from_inner(tensor)),
            Self::Bool(tensor) => Value::Bool(Autodiff::<B>::bool_from_inner(tensor)),
        }
    }
}
