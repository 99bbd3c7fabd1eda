//! The differentiation rule of test-time training.

use burn::backend::Backend;
use burn::backend::autodiff::{
    Autodiff, NodeId,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use burn::backend::tensor::FloatTensor;

use super::TttOps;

#[derive(Debug)]
struct TttBackward;

impl<B: Backend + TttOps> Backward<B, 6> for TttBackward {
    type State = ([NodeId; 6], Option<usize>);

    fn backward(
        self,
        ops: Ops<Self::State, 6>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let dy = grads.consume::<B>(&ops.node);
        let (saved, hidden) = ops.state;
        let [q, k, v, rates, scales, parameters] =
            saved.map(|id| checkpointer.retrieve_node_output(id));
        let (dq, dk, dv, drates, dscales, dparameters) =
            B::fused_ttt_backward(q, k, v, rates, scales, parameters, dy, hidden);
        let gradients = [dq, dk, dv, drates, dscales, dparameters];
        for (node, gradient) in ops.parents.into_iter().zip(gradients) {
            if let Some(node) = node {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

impl<B: Backend + TttOps, C: CheckpointStrategy> TttOps for Autodiff<B, C> {
    fn fused_ttt(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        rates: FloatTensor<Self>,
        scales: FloatTensor<Self>,
        parameters: FloatTensor<Self>,
        hidden: Option<usize>,
    ) -> FloatTensor<Self> {
        let run = |inputs: [FloatTensor<Self>; 6]| {
            let [q, k, v, rates, scales, parameters] = inputs.map(|x| x.into_primitive());
            B::fused_ttt(q, k, v, rates, scales, parameters, hidden)
        };
        let inputs = [q, k, v, rates, scales, parameters];
        let nodes = inputs.each_ref().map(|input| input.node());
        match TttBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let saved = inputs.each_ref().map(|input| prep.checkpoint(input));
                prep.finish((saved, hidden), run(inputs))
            }
            OpsKind::UnTracked(prep) => prep.finish(run(inputs)),
        }
    }
}
