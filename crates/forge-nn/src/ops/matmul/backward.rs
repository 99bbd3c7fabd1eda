//! The differentiation rule of products.

use burn::backend::Backend;
use burn::backend::autodiff::{
    Autodiff, NodeId,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use burn::backend::tensor::FloatTensor;

use super::MatmulOps;

#[derive(Debug)]
struct MatmulBackward;

impl<B: Backend + MatmulOps> Backward<B, 2> for MatmulBackward {
    type State = [NodeId; 2];

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [lhs, rhs] = ops.parents;
        let dy = grads.consume::<B>(&ops.node);
        let [left, right] = ops.state;
        let (dlhs, drhs) = B::fused_matmul_backward(
            checkpointer.retrieve_node_output(left),
            checkpointer.retrieve_node_output(right),
            dy,
            lhs.is_some(),
            rhs.is_some(),
        );
        for (node, gradient) in [(lhs, dlhs), (rhs, drhs)] {
            if let Some(node) = node {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

impl<B: Backend + MatmulOps, C: CheckpointStrategy> MatmulOps for Autodiff<B, C> {
    fn fused_matmul(lhs: FloatTensor<Self>, rhs: FloatTensor<Self>) -> FloatTensor<Self> {
        match MatmulBackward
            .prepare::<C>([lhs.node(), rhs.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(mut prep) => {
                let saved = [prep.checkpoint(&lhs), prep.checkpoint(&rhs)];
                let y = B::fused_matmul(lhs.into_primitive(), rhs.into_primitive());
                prep.finish(saved, y)
            }
            OpsKind::UnTracked(prep) => {
                prep.finish(B::fused_matmul(lhs.into_primitive(), rhs.into_primitive()))
            }
        }
    }
}
