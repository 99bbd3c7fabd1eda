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
use crate::ops::optional::{OptionalFloat, node_or_constant};

#[derive(Debug)]
struct SsdBackward;

/// The nodes of the five inputs that are always there, and of the skip.
#[derive(Clone, Debug)]
struct Saved {
    inputs: [NodeId; 5],
    skip: Option<NodeId>,
}

impl<B: Backend + SsdOps> Backward<B, 6> for SsdBackward {
    type State = Saved;

    fn backward(
        self,
        ops: Ops<Self::State, 6>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let dy = grads.consume::<B>(&ops.node);
        let Saved { inputs, skip } = ops.state;
        let [x, gain, log_decay, b, c] = inputs.map(|id| checkpointer.retrieve_node_output(id));
        let skip = skip.map(|id| checkpointer.retrieve_node_output(id));
        let (dx, dgain, dlog_decay, db, dc, dskip) =
            B::fused_ssd_backward(x, gain, log_decay, b, c, skip.into(), dy);
        let gradients = [dx, dgain, dlog_decay, db, dc, dskip];
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
        gain: FloatTensor<Self>,
        log_decay: FloatTensor<Self>,
        b: FloatTensor<Self>,
        c: FloatTensor<Self>,
        skip: OptionalFloat<Self>,
    ) -> FloatTensor<Self> {
        let skip = skip.into_option();
        let nodes = [
            x.node(),
            gain.node(),
            log_decay.node(),
            b.node(),
            c.node(),
            node_or_constant::<B>(skip.as_ref(), &x),
        ];
        match SsdBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let saved = Saved {
                    inputs: [&x, &gain, &log_decay, &b, &c].map(|input| prep.checkpoint(input)),
                    skip: skip.as_ref().map(|skip| prep.checkpoint(skip)),
                };
                let output = B::fused_ssd(
                    x.into_primitive(),
                    gain.into_primitive(),
                    log_decay.into_primitive(),
                    b.into_primitive(),
                    c.into_primitive(),
                    skip.map(|skip| skip.into_primitive()).into(),
                );
                prep.finish(saved, output)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::fused_ssd(
                x.into_primitive(),
                gain.into_primitive(),
                log_decay.into_primitive(),
                b.into_primitive(),
                c.into_primitive(),
                skip.map(|skip| skip.into_primitive()).into(),
            )),
        }
    }
}
