//! The differentiation rule of activations.

use burn::backend::Backend;
use burn::backend::autodiff::{
    Autodiff, NodeId,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind, unary},
};
use burn::backend::tensor::FloatTensor;

use super::{Activation, ActivationOps};

#[derive(Debug)]
struct ActivationBackward;

impl<B: Backend + ActivationOps> Backward<B, 1> for ActivationBackward {
    type State = (NodeId, Activation);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let (x, activation) = ops.state;
        let x = checkpointer.retrieve_node_output(x);
        unary::<B, _>(ops.parents, ops.node, grads, |dy| {
            B::fused_activation_backward(x, dy, activation)
        });
    }
}

impl<B: Backend + ActivationOps, C: CheckpointStrategy> ActivationOps for Autodiff<B, C> {
    fn fused_activation(x: FloatTensor<Self>, activation: Activation) -> FloatTensor<Self> {
        match ActivationBackward
            .prepare::<C>([x.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(mut prep) => {
                let saved = (prep.checkpoint(&x), activation);
                prep.finish(saved, B::fused_activation(x.into_primitive(), activation))
            }
            OpsKind::UnTracked(prep) => {
                prep.finish(B::fused_activation(x.into_primitive(), activation))
            }
        }
    }
}
