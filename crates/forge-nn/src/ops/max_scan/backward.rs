//! The differentiation rule of the running maximum.

use burn::backend::Backend;
use burn::backend::autodiff::{
    Autodiff, NodeId,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use burn::backend::tensor::FloatTensor;

use super::MaxScanOps;

#[derive(Debug)]
struct MaxScanBackward;

impl<B: Backend + MaxScanOps> Backward<B, 2> for MaxScanBackward {
    type State = ([NodeId; 2], FloatTensor<B>);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let dm = grads.consume::<B>(&ops.node);
        let (inputs, m) = ops.state;
        let [decay, x] = inputs.map(|id| checkpointer.retrieve_node_output(id));
        let (ddecay, dx) = B::fused_max_scan_backward(decay, x, m, dm);
        for (node, gradient) in ops.parents.into_iter().zip([ddecay, dx]) {
            if let Some(node) = node {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

impl<B: Backend + MaxScanOps, C: CheckpointStrategy> MaxScanOps for Autodiff<B, C> {
    fn fused_max_scan(decay: FloatTensor<Self>, x: FloatTensor<Self>) -> FloatTensor<Self> {
        match MaxScanBackward
            .prepare::<C>([decay.node(), x.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(mut prep) => {
                let saved = [&decay, &x].map(|input| prep.checkpoint(input));
                let m = B::fused_max_scan(decay.into_primitive(), x.into_primitive());
                prep.finish((saved, m.clone()), m)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::fused_max_scan(
                decay.into_primitive(),
                x.into_primitive(),
            )),
        }
    }
}
