//! The differentiation rule of the sLSTM.

use burn::backend::Backend;
use burn::backend::autodiff::{
    Autodiff, NodeId,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use burn::backend::tensor::FloatTensor;

use super::SlstmOps;

#[derive(Debug)]
struct SlstmBackward;

impl<B: Backend + SlstmOps> Backward<B, 2> for SlstmBackward {
    type State = [NodeId; 2];

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let dy = grads.consume::<B>(&ops.node);
        let [gates, recurrent] = ops.state.map(|id| checkpointer.retrieve_node_output(id));
        let (dgates, drecurrent) = B::fused_slstm_backward(gates, recurrent, dy);
        for (node, gradient) in ops.parents.into_iter().zip([dgates, drecurrent]) {
            if let Some(node) = node {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

impl<B: Backend + SlstmOps, C: CheckpointStrategy> SlstmOps for Autodiff<B, C> {
    fn fused_slstm(gates: FloatTensor<Self>, recurrent: FloatTensor<Self>) -> FloatTensor<Self> {
        match SlstmBackward
            .prepare::<C>([gates.node(), recurrent.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(mut prep) => {
                let saved = [&gates, &recurrent].map(|input| prep.checkpoint(input));
                let y = B::fused_slstm(gates.into_primitive(), recurrent.into_primitive());
                prep.finish(saved, y)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::fused_slstm(
                gates.into_primitive(),
                recurrent.into_primitive(),
            )),
        }
    }
}
