//! The differentiation rule of the gated linear units.

use burn::backend::Backend;
use burn::backend::autodiff::{
    Autodiff, NodeId,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind, unary},
};
use burn::backend::tensor::FloatTensor;

use super::{GluKind, GluOps};

#[derive(Debug)]
struct GluBackward;

impl<B: Backend + GluOps> Backward<B, 1> for GluBackward {
    type State = (NodeId, GluKind);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let (x, kind) = ops.state;
        let x = checkpointer.retrieve_node_output(x);
        unary::<B, _>(ops.parents, ops.node, grads, |dy| {
            B::fused_glu_backward(x, dy, kind)
        });
    }
}

#[derive(Debug)]
struct GatedBackward;

impl<B: Backend + GluOps> Backward<B, 2> for GatedBackward {
    type State = ([NodeId; 2], GluKind);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let dy = grads.consume::<B>(&ops.node);
        let (inputs, kind) = ops.state;
        let [value, gate] = inputs.map(|id| checkpointer.retrieve_node_output(id));
        let (dvalue, dgate) = B::fused_gated_backward(value, gate, dy, kind);
        for (node, gradient) in ops.parents.into_iter().zip([dvalue, dgate]) {
            if let Some(node) = node {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

impl<B: Backend + GluOps, C: CheckpointStrategy> GluOps for Autodiff<B, C> {
    fn fused_glu(x: FloatTensor<Self>, kind: GluKind) -> FloatTensor<Self> {
        match GluBackward
            .prepare::<C>([x.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(mut prep) => {
                let saved = (prep.checkpoint(&x), kind);
                prep.finish(saved, B::fused_glu(x.into_primitive(), kind))
            }
            OpsKind::UnTracked(prep) => prep.finish(B::fused_glu(x.into_primitive(), kind)),
        }
    }

    fn fused_gated(
        value: FloatTensor<Self>,
        gate: FloatTensor<Self>,
        kind: GluKind,
    ) -> FloatTensor<Self> {
        match GatedBackward
            .prepare::<C>([value.node(), gate.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(mut prep) => {
                let saved = [&value, &gate].map(|input| prep.checkpoint(input));
                let y = B::fused_gated(value.into_primitive(), gate.into_primitive(), kind);
                prep.finish((saved, kind), y)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::fused_gated(
                value.into_primitive(),
                gate.into_primitive(),
                kind,
            )),
        }
    }
}
