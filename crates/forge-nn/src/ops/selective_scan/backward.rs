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

impl<B: Backend + SelectiveScanOps> Backward<B, 6> for ScanBackward {
    type State = [NodeId; 6];

    fn backward(
        self,
        ops: Ops<Self::State, 6>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let dy = grads.consume::<B>(&ops.node);
        let [u, step, a, b, c, state] = ops.state.map(|id| checkpointer.retrieve_node_output(id));
        let (du, dstep, da, db, dc, dstate) =
            B::fused_selective_scan_backward(u, step, a, b, c, state, dy);
        let gradients = [du, dstep, da, db, dc, dstate];
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
        state: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let inputs = [u, step, a, b, c, state];
        let nodes = inputs.each_ref().map(|input| input.node());
        let scanned = |inputs: [FloatTensor<Self>; 6]| {
            let [u, step, a, b, c, state] = inputs.map(|input| input.into_primitive());
            B::fused_selective_scan(u, step, a, b, c, state)
        };
        match ScanBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let saved = inputs.each_ref().map(|input| prep.checkpoint(input));
                prep.finish(saved, scanned(inputs))
            }
            OpsKind::UnTracked(prep) => prep.finish(scanned(inputs)),
        }
    }
}
