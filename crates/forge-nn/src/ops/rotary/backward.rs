//! The differentiation rule of the rotation.

use burn::backend::autodiff::{
    Autodiff, NodeId,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata};

use super::{RotaryLayout, RotaryOps, reference};

#[derive(Debug)]
struct RotaryBackward;

/// What the gradients are made of.
#[derive(Debug, Clone)]
struct Saved<F> {
    /// Where the tables learn; else nothing of x is kept.
    x: Option<NodeId>,
    cos: F,
    sin: F,
    layout: RotaryLayout,
}

impl<B: Backend + RotaryOps> Backward<B, 3> for RotaryBackward {
    type State = Saved<FloatTensor<B>>;

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let dy = grads.consume::<B>(&ops.node);
        let [to_x, to_cos, to_sin] = ops.parents;
        let saved = ops.state;
        if let Some(x) = saved.x {
            let x = checkpointer.retrieve_node_output(x);
            let pairs = saved.cos.shape()[1];
            let (dcos, dsin) = reference::table_gradients::<B>(x, pairs, dy.clone(), saved.layout);
            for (node, gradient) in [(to_cos, dcos), (to_sin, dsin)] {
                if let Some(node) = node {
                    grads.register::<B>(node.id, gradient);
                }
            }
        }
        if let Some(node) = to_x {
            let dx = B::fused_rotary(dy, saved.cos, B::float_neg(saved.sin), saved.layout);
            grads.register::<B>(node.id, dx);
        }
    }
}

impl<B: Backend + RotaryOps, C: CheckpointStrategy> RotaryOps for Autodiff<B, C> {
    fn fused_rotary(
        x: FloatTensor<Self>,
        cos: FloatTensor<Self>,
        sin: FloatTensor<Self>,
        layout: RotaryLayout,
    ) -> FloatTensor<Self> {
        let learned = cos.is_tracked() || sin.is_tracked();
        match RotaryBackward
            .prepare::<C>([x.node(), cos.node(), sin.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(mut prep) => {
                let kept = learned.then(|| prep.checkpoint(&x));
                let (cos, sin) = (cos.into_primitive(), sin.into_primitive());
                let saved = Saved {
                    x: kept,
                    cos: cos.clone(),
                    sin: sin.clone(),
                    layout,
                };
                let y = B::fused_rotary(x.into_primitive(), cos, sin, layout);
                prep.finish(saved, y)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::fused_rotary(
                x.into_primitive(),
                cos.into_primitive(),
                sin.into_primitive(),
                layout,
            )),
        }
    }
}
