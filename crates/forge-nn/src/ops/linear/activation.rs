//! The activations that a linear layer can apply while its output is still in the cache.

use crate::ops::Activation;

/// The activation of [`linear_activation`](super::linear_activation).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LinearActivation {
    /// `z`
    #[default]
    Identity,
    /// `max(z, 0)`; the slope at 0 is 0.
    Relu,
    /// `z Φ(z)` with the exact normal distribution (erf form).
    Gelu,
    /// `z sigmoid(z)`
    Silu,
}

impl LinearActivation {
    /// The same on its own; none for the identity.
    pub(crate) fn on_its_own(self) -> Option<Activation> {
        match self {
            Self::Identity => None,
            Self::Relu => Some(Activation::Relu),
            Self::Gelu => Some(Activation::Gelu),
            Self::Silu => Some(Activation::Silu),
        }
    }
}
