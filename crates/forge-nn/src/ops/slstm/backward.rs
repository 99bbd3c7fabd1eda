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

impl<B: Backend + SlstmOps> Backward<B, 3> for SlstmBackward {
    type State = [NodeId; 3];

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let dy = grads.consume::<B>(&ops.node);
        let [gates, recurrent, state] = ops.state.map(|id| checkpointer.retrieve_node_output(id));
        let (dgates, drecurrent, dstate) = B::fused_slstm_backward(gates, recurrent, state, dy);
        let gradients = [dgates, drecurrent, dstate];
        for (node, gradient) in ops.parents.into_iter().zip(gradients) {
            if let Some(node) = node {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

impl<B: Backend + SlstmOps, C: CheckpointStrategy> SlstmOps for Autodiff<B, C> {
    fn fused_slstm(
        gates: FloatTensor<Self>,
        recurrent: FloatTensor<Self>,
        state: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let inputs = [gates, recurrent, state];
        let nodes = inputs.each_ref().map(|input| input.node());
        let run = |inputs: [FloatTensor<Self>; 3]| {
            let [gates, recurrent, state] = inputs.map(|input| input.into_primitive());
            B::fused_slstm(gates, recurrent, state)
        };
        match SlstmBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let saved = inputs.each_ref().map(|input| prep.checkpoint(input));
                prep.finish(saved, run(inputs))
            }
            OpsKind::UnTracked(prep) => prep.finish(run(inputs)),
        }
    }
}
