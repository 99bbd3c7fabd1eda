//! The differentiation rule of the scan.

use burn::backend::Backend;
use burn::backend::autodiff::{
    Autodiff, NodeId,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use burn::backend::tensor::FloatTensor;

use super::SelectiveScanOps;

#[derive(Debug)]
struct ScanBackward;

impl<B: Backend + SelectiveScanOps> Backward<B, 5> for ScanBackward {
    type State = [NodeId; 5];

    fn backward(
        self,
        ops: Ops<Self::State, 5>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let dy = grads.consume::<B>(&ops.node);
        let [u, step, a, b, c] = ops.state.map(|id| checkpointer.retrieve_node_output(id));
        let (du, dstep, da, db, dc) = B::fused_selective_scan_backward(u, step, a, b, c, dy);
        let gradients = [du, dstep, da, db, dc];
        for (node, gradient) in ops.parents.into_iter().zip(gradients) {
            if let Some(node) = node {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

impl<B: Backend + SelectiveScanOps, C: CheckpointStrategy> SelectiveScanOps for Autodiff<B, C> {
    fn fused_selective_scan(
        u: FloatTensor<Self>,
        step: FloatTensor<Self>,
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        c: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let nodes = [u.node(), step.node(), a.node(), b.node(), c.node()];
        match ScanBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let saved = [&u, &step, &a, &b, &c].map(|input| prep.checkpoint(input));
                let output = B::fused_selective_scan(
                    u.into_primitive(),
                    step.into_primitive(),
                    a.into_primitive(),
                    b.into_primitive(),
                    c.into_primitive(),
                );
                prep.finish(saved, output)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::fused_selective_scan(
                u.into_primitive(),
                step.into_primitive(),
                a.into_primitive(),
                b.into_primitive(),
                c.into_primitive(),
            )),
        }
    }
}
