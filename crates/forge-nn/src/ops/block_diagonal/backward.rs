//! The differentiation rule of block-diagonal products.

use burn::backend::Backend;
use burn::backend::autodiff::{
    Autodiff, NodeId,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use burn::backend::tensor::FloatTensor;

use super::BlockDiagonalOps;
use crate::ops::optional::{OptionalFloat, node_or_constant};

#[derive(Debug)]
struct BlockDiagonalBackward;

impl<B: Backend + BlockDiagonalOps> Backward<B, 3> for BlockDiagonalBackward {
    type State = [NodeId; 2];

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let dy = grads.consume::<B>(&ops.node);
        let [x, weight] = ops.state;
        let (dx, dweight, dbias) = B::fused_block_diagonal_backward(
            checkpointer.retrieve_node_output(x),
            checkpointer.retrieve_node_output(weight),
            dy,
        );
        let [x, weight, bias] = ops.parents;
        for (node, gradient) in [(x, dx), (weight, dweight), (bias, dbias)] {
            if let Some(node) = node {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

impl<B: Backend + BlockDiagonalOps, C: CheckpointStrategy> BlockDiagonalOps for Autodiff<B, C> {
    fn fused_block_diagonal(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: OptionalFloat<Self>,
    ) -> FloatTensor<Self> {
        let bias = bias.into_option();
        let nodes = [x.node(), weight.node(), node_or_constant(bias.as_ref(), &x)];
        let prepared = BlockDiagonalBackward.prepare::<C>(nodes).compute_bound();
        let inner = |x: FloatTensor<Self>, weight: FloatTensor<Self>| {
            let bias = bias.map(|bias| bias.into_primitive()).into();
            B::fused_block_diagonal(x.into_primitive(), weight.into_primitive(), bias)
        };
        match prepared.stateful() {
            OpsKind::Tracked(mut prep) => {
                let saved = [prep.checkpoint(&x), prep.checkpoint(&weight)];
                prep.finish(saved, inner(x, weight))
            }
            OpsKind::UnTracked(prep) => prep.finish(inner(x, weight)),
        }
    }
}
