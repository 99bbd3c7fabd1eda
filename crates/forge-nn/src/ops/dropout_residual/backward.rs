//! The differentiation rule of dropout and residual.

use burn::backend::Backend;
use burn::backend::autodiff::{
    Autodiff,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind, unary},
};
use burn::backend::tensor::FloatTensor;

use super::DropoutResidualOps;

#[derive(Debug)]
struct DropoutResidualBackward;

impl<B: Backend + DropoutResidualOps> Backward<B, 2> for DropoutResidualBackward {
    type State = (f64, u64);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [x, residual] = ops.parents;
        let dy = grads.consume::<B>(&ops.node);
        let (probability, seed) = ops.state;
        if let Some(node) = residual {
            grads.register::<B>(node.id, dy.clone());
        }
        if let Some(node) = x {
            grads.register::<B>(node.id, B::fused_dropout(dy, probability, seed));
        }
    }
}

#[derive(Debug)]
struct DropoutBackward;

impl<B: Backend + DropoutResidualOps> Backward<B, 1> for DropoutBackward {
    type State = (f64, u64);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (probability, seed) = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |dy| {
            B::fused_dropout(dy, probability, seed)
        });
    }
}

impl<B: Backend + DropoutResidualOps, C: CheckpointStrategy> DropoutResidualOps for Autodiff<B, C> {
    fn fused_dropout_residual(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        probability: f64,
        seed: u64,
    ) -> FloatTensor<Self> {
        let prep = DropoutResidualBackward
            .prepare::<C>([x.node(), residual.node()])
            .compute_bound()
            .stateful();
        let output = B::fused_dropout_residual(
            x.into_primitive(),
            residual.into_primitive(),
            probability,
            seed,
        );
        match prep {
            OpsKind::Tracked(prep) => prep.finish((probability, seed), output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }

    fn fused_dropout(x: FloatTensor<Self>, probability: f64, seed: u64) -> FloatTensor<Self> {
        let prep = DropoutBackward
            .prepare::<C>([x.node()])
            .compute_bound()
            .stateful();
        let output = B::fused_dropout(x.into_primitive(), probability, seed);
        match prep {
            OpsKind::Tracked(prep) => prep.finish((probability, seed), output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }
}
