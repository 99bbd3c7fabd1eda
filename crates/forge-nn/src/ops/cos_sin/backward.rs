//! The differentiation rule of cosines and sines.

use burn::backend::Backend;
use burn::backend::autodiff::{
    Autodiff,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind, unary},
};
use burn::backend::tensor::FloatTensor;

use super::CosSinOps;

#[derive(Debug)]
struct CosSinBackward;

impl<B: Backend + CosSinOps> Backward<B, 1> for CosSinBackward {
    // The output has both: the slope of one is the other.
    type State = FloatTensor<B>;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let y = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |dy| {
            B::fused_cos_sin_backward(y, dy)
        });
    }
}

impl<B: Backend + CosSinOps, C: CheckpointStrategy> CosSinOps for Autodiff<B, C> {
    fn fused_cos_sin(x: FloatTensor<Self>) -> FloatTensor<Self> {
        match CosSinBackward
            .prepare::<C>([x.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => {
                let y = B::fused_cos_sin(x.into_primitive());
                prep.finish(y.clone(), y)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::fused_cos_sin(x.into_primitive())),
        }
    }
}
