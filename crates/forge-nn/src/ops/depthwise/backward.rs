//! The differentiation rule of depthwise convolutions.

use burn::backend::Backend;
use burn::backend::autodiff::{
    Autodiff, NodeId,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use burn::backend::tensor::FloatTensor;

use super::DepthwiseOps;

#[derive(Debug)]
struct DepthwiseBackward;

impl<B: Backend + DepthwiseOps> Backward<B, 2> for DepthwiseBackward {
    type State = [NodeId; 2];

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let dy = grads.consume::<B>(&ops.node);
        let [x, weight] = ops.state;
        let (dx, dweight) = B::fused_depthwise_backward(
            checkpointer.retrieve_node_output(x),
            checkpointer.retrieve_node_output(weight),
            dy,
        );
        let [x, weight] = ops.parents;
        for (node, gradient) in [(x, dx), (weight, dweight)] {
            if let Some(node) = node {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

impl<B: Backend + DepthwiseOps, C: CheckpointStrategy> DepthwiseOps for Autodiff<B, C> {
    fn fused_depthwise(x: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self> {
        match DepthwiseBackward
            .prepare::<C>([x.node(), weight.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(mut prep) => {
                let saved = [prep.checkpoint(&x), prep.checkpoint(&weight)];
                let y = B::fused_depthwise(x.into_primitive(), weight.into_primitive());
                prep.finish(saved, y)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::fused_depthwise(
                x.into_primitive(),
                weight.into_primitive(),
            )),
        }
    }
}
