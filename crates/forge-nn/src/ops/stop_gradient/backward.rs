//! Where the graph of one level ends.

use burn::backend::autodiff::{Autodiff, checkpoint::strategy::CheckpointStrategy};
use burn::backend::tensor::FloatTensor;
use burn::backend::{AutodiffBackend, Backend};

use super::StopGradientOps;

impl<B: Backend + StopGradientOps, C: CheckpointStrategy> StopGradientOps for Autodiff<B, C> {
    fn stop_gradient(x: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::from_inner(B::stop_gradient(x.into_primitive()))
    }
}
