//! The differentiation rule of test-time training.

use burn::backend::autodiff::{
    Autodiff, NodeId,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use burn::backend::tensor::FloatTensor;
use burn::backend::{AutodiffBackend, Backend};

use super::TttOps;

#[derive(Debug)]
struct TttBackward;

impl<B: Backend + TttOps> Backward<B, 6> for TttBackward {
    type State = ([NodeId; 6], FloatTensor<B>, Option<usize>);

    fn backward(
        self,
        ops: Ops<Self::State, 6>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let dy = grads.consume::<B>(&ops.node);
        let (saved, kept, hidden) = ops.state;
        let [q, k, v, rates, scales, parameters] =
            saved.map(|id| checkpointer.retrieve_node_output(id));
        let (dq, dk, dv, drates, dscales, dparameters) =
            B::fused_ttt_backward(q, k, v, rates, scales, parameters, kept, dy, hidden);
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
        keep: bool,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let run = |inputs: [FloatTensor<Self>; 6], keep| {
            let [q, k, v, rates, scales, parameters] = inputs.map(|x| x.into_primitive());
            B::fused_ttt(q, k, v, rates, scales, parameters, hidden, keep)
        };
        let constant = <Self as AutodiffBackend>::from_inner;
        let inputs = [q, k, v, rates, scales, parameters];
        let nodes = inputs.each_ref().map(|input| input.node());
        match TttBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let saved = inputs.each_ref().map(|input| prep.checkpoint(input));
                let (answers, kept) = run(inputs, true);
                let answers = prep.finish((saved, kept.clone(), hidden), answers);
                (answers, constant(kept))
            }
            OpsKind::UnTracked(prep) => {
                let (answers, kept) = run(inputs, keep);
                (prep.finish(answers), constant(kept))
            }
        }
    }
}
