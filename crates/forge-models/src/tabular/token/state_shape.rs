//! Whose state it is.

use burn::tensor::{Device, Tensor};

/// Refuses a state of another batch or width.
///
/// # Panics
/// If `state` does not have the shape `expected`, with both.
pub(crate) fn assert_state<const D: usize>(state: &Tensor<D>, expected: [usize; D]) {
    let found = state.dims();
    assert!(
        found == expected,
        "the state is {found:?}, the token needs {expected:?}"
    );
}

/// A state of zeros in the type of `like`, a parameter of the layer.
pub(crate) fn empty_state<const D: usize, const P: usize>(
    shape: [usize; D],
    like: &Tensor<P>,
    device: &Device,
) -> Tensor<D> {
    Tensor::zeros(shape, (device, like.dtype()))
}
