//! The differentiation rule of the linear layer.

use burn::backend::Backend;
use burn::backend::autodiff::{
    Autodiff, NodeId,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use burn::backend::tensor::FloatTensor;

use super::{LinearActivation, LinearOps};
use crate::ops::optional::{OptionalFloat, node_or_constant};

#[derive(Debug)]
struct LinearBackward;

#[derive(Clone, Debug)]
struct Saved<B: Backend> {
    x: NodeId,
    weight: NodeId,
    z: FloatTensor<B>,
    activation: LinearActivation,
}

impl<B: Backend + LinearOps> Backward<B, 3> for LinearBackward {
    type State = Saved<B>;

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [x, weight, bias] = ops.parents;
        let dy = grads.consume::<B>(&ops.node);
        let saved = ops.state;
        let (dx, dweight, dbias) = B::fused_linear_backward(
            checkpointer.retrieve_node_output(saved.x),
            checkpointer.retrieve_node_output(saved.weight),
            saved.z,
            dy,
            saved.activation,
            x.is_some(),
        );
        for (node, gradient) in [(x, dx), (weight, dweight), (bias, dbias)] {
            if let Some(node) = node {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

impl<B: Backend + LinearOps, C: CheckpointStrategy> LinearOps for Autodiff<B, C> {
    fn fused_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: OptionalFloat<Self>,
        activation: LinearActivation,
    ) -> FloatTensor<Self> {
        let bias = bias.into_option();
        let bias_node = node_or_constant(bias.as_ref(), &x);
        match LinearBackward
            .prepare::<C>([x.node(), weight.node(), bias_node])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(mut prep) => {
                let (x_id, weight_id) = (prep.checkpoint(&x), prep.checkpoint(&weight));
                let (output, z) = B::fused_linear_forward(
                    x.into_primitive(),
                    weight.into_primitive(),
                    bias.map(|bias| bias.into_primitive()).into(),
                    activation,
                );
                let saved = Saved {
                    x: x_id,
                    weight: weight_id,
                    z,
                    activation,
                };
                prep.finish(saved, output)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::fused_linear(
                x.into_primitive(),
                weight.into_primitive(),
                bias.map(|bias| bias.into_primitive()).into(),
                activation,
            )),
        }
    }
}
