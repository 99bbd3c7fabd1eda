//! The differentiation rule of block-diagonal products.

use burn::backend::Backend;
use burn::backend::autodiff::{Autodiff, checkpoint::strategy::CheckpointStrategy};
use burn::backend::tensor::FloatTensor;

use super::BlockDiagonalOps;
use crate::ops::optional::OptionalFloat;
use crate::ops::weighted::{Weighted, weighted};

#[derive(Debug)]
struct BlockDiagonal;

impl<B: Backend + BlockDiagonalOps> Weighted<B> for BlockDiagonal {
    fn forward(
        x: FloatTensor<B>,
        weight: FloatTensor<B>,
        bias: OptionalFloat<B>,
    ) -> FloatTensor<B> {
        B::fused_block_diagonal(x, weight, bias)
    }

    fn backward(
        x: FloatTensor<B>,
        weight: FloatTensor<B>,
        dy: FloatTensor<B>,
    ) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
        B::fused_block_diagonal_backward(x, weight, dy)
    }
}

impl<B: Backend + BlockDiagonalOps, C: CheckpointStrategy> BlockDiagonalOps for Autodiff<B, C> {
    fn fused_block_diagonal(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: OptionalFloat<Self>,
    ) -> FloatTensor<Self> {
        weighted(BlockDiagonal, x, weight, bias)
    }
}
