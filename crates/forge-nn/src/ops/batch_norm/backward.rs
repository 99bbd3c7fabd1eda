//! The differentiation rule.

use burn::backend::autodiff::{
    Autodiff, NodeId,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use burn::backend::tensor::FloatTensor;
use burn::backend::{AutodiffBackend, Backend};

use super::BatchNormOps;

#[derive(Debug)]
struct NormBackward;

/// What the backward pass of the norm needs.
#[derive(Clone, Debug)]
struct Saved<B: Backend> {
    x: NodeId,
    weight: NodeId,
    mean: FloatTensor<B>,
    var: FloatTensor<B>,
    epsilon: f64,
}

impl<B: Backend + BatchNormOps> Backward<B, 3> for NormBackward {
    type State = Saved<B>;

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let dy = grads.consume::<B>(&ops.node);
        let saved = ops.state;
        let (dx, dweight, dbias) = B::fused_batch_norm_backward(
            checkpointer.retrieve_node_output(saved.x),
            checkpointer.retrieve_node_output(saved.weight),
            saved.mean,
            saved.var,
            dy,
            saved.epsilon,
        );
        for (node, gradient) in ops.parents.into_iter().zip([dx, dweight, dbias]) {
            if let Some(node) = node {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

impl<B: Backend + BatchNormOps, C: CheckpointStrategy> BatchNormOps for Autodiff<B, C> {
    fn fused_batch_norm(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let nodes = [x.node(), weight.node(), bias.node()];
        let prep = NormBackward.prepare::<C>(nodes).compute_bound().stateful();
        let (y, mean, var) = match prep {
            OpsKind::Tracked(mut prep) => {
                let (saved_x, saved_weight) = (prep.checkpoint(&x), prep.checkpoint(&weight));
                let (y, mean, var) = B::fused_batch_norm(
                    x.into_primitive(),
                    weight.into_primitive(),
                    bias.into_primitive(),
                    epsilon,
                );
                let saved = Saved {
                    x: saved_x,
                    weight: saved_weight,
                    mean: mean.clone(),
                    var: var.clone(),
                    epsilon,
                };
                (prep.finish(saved, y), mean, var)
            }
            OpsKind::UnTracked(prep) => {
                let (y, mean, var) = B::fused_batch_norm(
                    x.into_primitive(),
                    weight.into_primitive(),
                    bias.into_primitive(),
                    epsilon,
                );
                (prep.finish(y), mean, var)
            }
        };
        (y, Self::from_inner(mean), Self::from_inner(var))
    }
}
