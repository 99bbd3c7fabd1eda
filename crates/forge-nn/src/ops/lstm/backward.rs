//! The differentiation rule of long short-term memory.

use burn::backend::Backend;
use burn::backend::autodiff::{
    Autodiff, NodeId,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use burn::backend::tensor::FloatTensor;

use super::LstmOps;

#[derive(Debug)]
struct LstmBackward;

impl<B: Backend + LstmOps> Backward<B, 4> for LstmBackward {
    type State = [NodeId; 4];

    fn backward(
        self,
        ops: Ops<Self::State, 4>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let dy = grads.consume::<B>(&ops.node);
        let [gates, recurrent, hidden, cell] =
            ops.state.map(|id| checkpointer.retrieve_node_output(id));
        let (dgates, drecurrent, dhidden, dcell) =
            B::fused_lstm_backward(gates, recurrent, hidden, cell, dy);
        let gradients = [dgates, drecurrent, dhidden, dcell];
        for (node, gradient) in ops.parents.into_iter().zip(gradients) {
            if let Some(node) = node {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

impl<B: Backend + LstmOps, C: CheckpointStrategy> LstmOps for Autodiff<B, C> {
    fn fused_lstm(
        gates: FloatTensor<Self>,
        recurrent: FloatTensor<Self>,
        hidden: FloatTensor<Self>,
        cell: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let nodes = [&gates, &recurrent, &hidden, &cell].map(|input| input.node());
        match LstmBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let saved =
                    [&gates, &recurrent, &hidden, &cell].map(|input| prep.checkpoint(input));
                let y = B::fused_lstm(
                    gates.into_primitive(),
                    recurrent.into_primitive(),
                    hidden.into_primitive(),
                    cell.into_primitive(),
                );
                prep.finish(saved, y)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::fused_lstm(
                gates.into_primitive(),
                recurrent.into_primitive(),
                hidden.into_primitive(),
                cell.into_primitive(),
            )),
        }
    }
}
