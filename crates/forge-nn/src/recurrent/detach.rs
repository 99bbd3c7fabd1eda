//! What is remembered, as constants.

use burn::tensor::Tensor;

/// What a layer remembers of earlier tokens, cut off from how it came about: gradients of later losses stop
/// there, and what they would need of the earlier tokens is free. Between pieces of a long sequence this is
/// truncated backpropagation through time.
///
/// ```
/// use forge_nn::burn::tensor::{Device, Tensor};
/// use forge_nn::recurrent::Detach;
///
/// let device = Device::flex().autodiff();
/// let early = Tensor::<1>::from_data([3.0], &device).require_grad();
/// let late = Tensor::<1>::from_data([2.0], &device).require_grad();
/// let state = early.clone() * 5.0;
/// let gradients = (state.detached() * late.clone()).backward();
/// assert!(early.grad(&gradients).is_none());
/// assert_eq!(late.grad(&gradients).unwrap().into_scalar::<f32>(), 15.0);
/// ```
pub trait Detach {
    /// The same numbers, as constants.
    #[must_use]
    fn detached(self) -> Self;
}

impl<const D: usize> Detach for Tensor<D> {
    fn detached(self) -> Self {
        self.detach()
    }
}

impl<T: Detach> Detach for Option<T> {
    fn detached(self) -> Self {
        self.map(T::detached)
    }
}

impl<T: Detach> Detach for Vec<T> {
    fn detached(self) -> Self {
        self.into_iter().map(T::detached).collect()
    }
}

impl<T: Detach, const N: usize> Detach for [T; N] {
    fn detached(self) -> Self {
        self.map(T::detached)
    }
}
