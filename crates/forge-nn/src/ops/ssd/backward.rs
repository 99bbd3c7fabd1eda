//! The differentiation rule of the recurrence.

use burn::backend::Backend;
use burn::backend::autodiff::{
    Autodiff, NodeId,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use burn::backend::tensor::FloatTensor;

use super::SsdOps;

#[derive(Debug)]
struct SsdBackward;

impl<B: Backend + SsdOps> Backward<B, 4> for SsdBackward {
    type State = [NodeId; 4];

    fn backward(
        self,
        ops: Ops<Self::State, 4>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let dy = grads.consume::<B>(&ops.node);
        let [x, log_decay, b, c] = ops.state.map(|id| checkpointer.retrieve_node_output(id));
        let (dx, dlog_decay, db, dc) = B::fused_ssd_backward(x, log_decay, b, c, dy);
        let gradients = [dx, dlog_decay, db, dc];
        for (node, gradient) in ops.parents.into_iter().zip(gradients) {
            if let Some(node) = node {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

impl<B: Backend + SsdOps, C: CheckpointStrategy> SsdOps for Autodiff<B, C> {
    fn fused_ssd(
        x: FloatTensor<Self>,
        log_decay: FloatTensor<Self>,
        b: FloatTensor<Self>,
        c: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), log_decay.node(), b.node(), c.node()];
        match SsdBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let saved = [&x, &log_decay, &b, &c].map(|input| prep.checkpoint(input));
                let output = B::fused_ssd(
                    x.into_primitive(),
                    log_decay.into_primitive(),
                    b.into_primitive(),
                    c.into_primitive(),
                );
                prep.finish(saved, output)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::fused_ssd(
                x.into_primitive(),
                log_decay.into_primitive(),
                b.into_primitive(),
                c.into_primitive(),
            )),
        }
    }
}
