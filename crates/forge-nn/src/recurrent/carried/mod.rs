//! What is remembered: as constants, and as tensors by name.

mod carried_macro;
mod places;
mod values;

use burn::tensor::Device;

pub use places::{Found, Named};
pub use values::Sequences;

use crate::{ForgeError, StateDict};

/// What a layer remembers of earlier tokens of a batch of sequences: it can be cut off from how it came
/// about, some of the sequences can be taken out and put beside others, and it can be written to a file and
/// read again.
///
/// [`carried!`](crate::carried) makes one of a struct whose fields are.
///
/// Cut off, gradients of later losses stop there, and what they would need of the earlier tokens is free.
/// Between pieces of a long sequence this is truncated backpropagation through time.
///
/// ```
/// use forge_nn::burn::tensor::{Device, Tensor};
/// use forge_nn::recurrent::Carried;
///
/// let device = Device::flex().autodiff();
/// let early = Tensor::<1>::from_data([3.0], &device).require_grad();
/// let late = Tensor::<1>::from_data([2.0], &device).require_grad();
/// let state = early.clone() * 5.0;
/// let gradients = (state.detached() * late.clone()).backward();
/// assert!(early.grad(&gradients).is_none());
/// assert_eq!(late.grad(&gradients).unwrap().into_scalar::<f32>(), 15.0);
/// ```
pub trait Carried: Sized {
    /// The same numbers, as constants.
    #[must_use]
    fn detached(self) -> Self;

    /// Those of the sequences that are named, counted from 0, in that order; one may be named several
    /// times, as a search that follows several continuations of it wants it.
    ///
    /// # Errors
    /// A shape error if none is named, or one that is not there.
    fn select(self, sequences: &[usize]) -> Result<Self, ForgeError>;

    /// Sequences of several states in one, those of the first part first.
    ///
    /// # Errors
    /// A shape error if there is no part, the parts are those of different layers, types or devices, or
    /// stand where they cannot go on together: where what is remembered counts tokens (keys and values,
    /// rotary positions, mini-batches) all must have seen as many.
    fn cat(parts: Vec<Self>) -> Result<Self, ForgeError>;

    /// Its tensors under their names.
    ///
    /// # Errors
    /// A weights error if a tensor cannot be read back from its device.
    fn put(&self, to: Named<'_>) -> Result<(), ForgeError>;

    /// From what [`put`](Self::put) put.
    ///
    /// # Errors
    /// A weights error naming a tensor that is missing or of another rank or kind.
    fn take(from: Found<'_>) -> Result<Self, ForgeError>;
}

impl StateDict {
    /// The tensors of what is remembered, under the names of its fields.
    ///
    /// # Errors
    /// A weights error if a tensor cannot be read back from its device.
    pub fn from_carried<T: Carried>(carried: &T) -> Result<Self, ForgeError> {
        let mut state = Self::default();
        carried.put(Named {
            tensors: &mut state.tensors,
            name: String::new(),
        })?;
        Ok(state)
    }

    /// What is remembered, from what [`from_carried`](Self::from_carried) gave, in the element types that
    /// it had.
    ///
    /// # Errors
    /// A weights error naming the first tensor that is missing, of another rank or kind, or left over.
    pub fn into_carried<T: Carried>(mut self, device: &Device) -> Result<T, ForgeError> {
        let carried = T::take(Found {
            tensors: &mut self.tensors,
            name: String::new(),
            device,
        })?;
        match self.tensors.keys().next() {
            Some(name) => Err(ForgeError::weights(format!("{name} is not part of it"))),
            None => Ok(carried),
        }
    }
}
