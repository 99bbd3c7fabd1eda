//! The differentiation rule of causal convolutions.

use burn::backend::Backend;
use burn::backend::autodiff::{Autodiff, checkpoint::strategy::CheckpointStrategy};
use burn::backend::tensor::FloatTensor;

use super::CausalConvOps;
use crate::ops::optional::OptionalFloat;
use crate::ops::weighted::{Weighted, weighted};

#[derive(Debug)]
struct CausalConv;

impl<B: Backend + CausalConvOps> Weighted<B> for CausalConv {
    fn forward(
        x: FloatTensor<B>,
        weight: FloatTensor<B>,
        bias: OptionalFloat<B>,
    ) -> FloatTensor<B> {
        B::fused_causal_conv(x, weight, bias)
    }

    fn backward(
        x: FloatTensor<B>,
        weight: FloatTensor<B>,
        dy: FloatTensor<B>,
    ) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
        B::fused_causal_conv_backward(x, weight, dy)
    }
}

impl<B: Backend + CausalConvOps, C: CheckpointStrategy> CausalConvOps for Autodiff<B, C> {
    fn fused_causal_conv(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: OptionalFloat<Self>,
    ) -> FloatTensor<Self> {
        weighted(CausalConv, x, weight, bias)
    }
}
