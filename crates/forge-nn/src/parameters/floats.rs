//! Which float tensors of a module take part in arithmetic on it.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

/// Which float tensors of a module take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Floats {
    /// Parameters that training moves: neither frozen ones nor buffers. A module in evaluation
    /// (`valid`) has the same ones as in training.
    Trainable,
    /// All: frozen parameters and float buffers, such as running statistics, too.
    All,
}

impl Floats {
    /// Whether `param` takes part. Makes its value if it is not made yet.
    #[must_use]
    pub fn take<const D: usize>(self, param: &Param<Tensor<D>>) -> bool {
        match self {
            Self::All => true,
            // `valid` switches gradients off and remembers what `train` shall restore, which
            // cannot be asked in another way.
            Self::Trainable => param.is_require_grad() || param.clone().train().is_require_grad(),
        }
    }
}
