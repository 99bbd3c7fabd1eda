//! The differentiation rule.

use burn::backend::Backend;
use burn::backend::autodiff::{
    Autodiff, NodeId,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use burn::backend::tensor::FloatTensor;

use super::ChannelAffineOps;
use crate::ops::LinearActivation;
use crate::ops::optional::{OptionalFloat, node_or_constant};

#[derive(Debug)]
struct AffineBackward;

#[derive(Clone, Debug)]
struct Saved<B: Backend> {
    x: NodeId,
    origin: Option<FloatTensor<B>>,
    scale: NodeId,
    shift: Option<NodeId>,
    activation: LinearActivation,
}

impl<B: Backend + ChannelAffineOps> Backward<B, 3> for AffineBackward {
    type State = Saved<B>;

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let dy = grads.consume::<B>(&ops.node);
        let saved = ops.state;
        let shift = saved.shift.map(|id| checkpointer.retrieve_node_output(id));
        let (dx, dscale, dshift) = B::fused_channel_affine_backward(
            checkpointer.retrieve_node_output(saved.x),
            saved.origin.into(),
            checkpointer.retrieve_node_output(saved.scale),
            shift.into(),
            dy,
            saved.activation,
        );
        for (node, gradient) in ops.parents.into_iter().zip([dx, dscale, dshift]) {
            if let Some(node) = node {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

impl<B: Backend + ChannelAffineOps, C: CheckpointStrategy> ChannelAffineOps for Autodiff<B, C> {
    fn fused_channel_affine(
        x: FloatTensor<Self>,
        origin: OptionalFloat<Self>,
        scale: FloatTensor<Self>,
        shift: OptionalFloat<Self>,
        activation: LinearActivation,
    ) -> FloatTensor<Self> {
        let origin = origin.into_option().map(|origin| origin.into_primitive());
        let shift = shift.into_option();
        let shift_node = node_or_constant::<B>(shift.as_ref(), &x);
        let prep = AffineBackward
            .prepare::<C>([x.node(), scale.node(), shift_node])
            .compute_bound()
            .stateful();
        match prep {
            OpsKind::Tracked(mut prep) => {
                let saved = Saved {
                    x: prep.checkpoint(&x),
                    origin: origin.clone(),
                    scale: prep.checkpoint(&scale),
                    shift: shift.as_ref().map(|shift| prep.checkpoint(shift)),
                    activation,
                };
                let y = B::fused_channel_affine(
                    x.into_primitive(),
                    origin.into(),
                    scale.into_primitive(),
                    shift.map(|shift| shift.into_primitive()).into(),
                    activation,
                );
                prep.finish(saved, y)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::fused_channel_affine(
                x.into_primitive(),
                origin.into(),
                scale.into_primitive(),
                shift.map(|shift| shift.into_primitive()).into(),
                activation,
            )),
        }
    }
}
