//! Backends that graphs are replayed on.

use burn::backend::Backend;
use burn::backend::autodiff::Autodiff;
use forge_nn::ops::{LinearOps, StopGradientOps};

/// A backend that a graph can be replayed on: one that computes, or `Autodiff` around one, as deep
/// as wanted.
pub trait Level: Backend + LinearOps + StopGradientOps {
    /// How many layers of `Autodiff` there are.
    const DEPTH: usize;

    /// Whether Burn's own GELU has the gradient of GELU on the innermost backend; elsewhere it has
    /// that of the tanh approximation (Burn 0.22; mended in 0.23).
    const EXACT_GELU: bool;
}

#[cfg(feature = "flex")]
impl Level for burn::backend::Flex {
    const DEPTH: usize = 0;
    const EXACT_GELU: bool = true;
}

#[cfg(feature = "ndarray")]
impl Level for burn::backend::NdArray {
    const DEPTH: usize = 0;
    const EXACT_GELU: bool = false;
}

#[cfg(feature = "cube")]
impl Level for burn::backend::Cube {
    const DEPTH: usize = 0;
    const EXACT_GELU: bool = false;
}

impl<B: Level> Level for Autodiff<B> {
    const DEPTH: usize = B::DEPTH + 1;
    const EXACT_GELU: bool = B::EXACT_GELU;
}
