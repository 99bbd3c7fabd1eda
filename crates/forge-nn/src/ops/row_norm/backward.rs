//! The differentiation rule of the norms.

use burn::backend::Backend;
use burn::backend::autodiff::{
    Autodiff, NodeId,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use burn::backend::tensor::FloatTensor;
use burn::backend::{FloatDType, TensorMetadata};

use super::{RowNorm, RowNormOps};
use crate::ops::optional::OptionalFloat;

#[derive(Debug)]
struct NormBackward;

#[derive(Clone, Debug)]
struct Saved {
    x: NodeId,
    weight: Option<NodeId>,
    norm: RowNorm,
    epsilon: f64,
    has_bias: bool,
}

impl<B: Backend + RowNormOps> Backward<B, 3> for NormBackward {
    type State = Saved;

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [x, weight, bias] = ops.parents;
        let dy = grads.consume::<B>(&ops.node);
        let saved = ops.state;
        let weight_input = match saved.weight {
            Some(id) => OptionalFloat::Present(checkpointer.retrieve_node_output(id)),
            None => OptionalFloat::Absent,
        };
        let (dx, dweight, dbias) = B::fused_row_norm_backward(
            checkpointer.retrieve_node_output(saved.x),
            weight_input,
            dy,
            saved.norm,
            saved.epsilon,
            saved.has_bias,
        );
        for (node, gradient) in [(x, dx), (weight, dweight), (bias, dbias)] {
            if let Some(node) = node {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

impl<B: Backend + RowNormOps, C: CheckpointStrategy> RowNormOps for Autodiff<B, C> {
    fn fused_row_norm(
        x: FloatTensor<Self>,
        weight: OptionalFloat<Self>,
        bias: OptionalFloat<Self>,
        norm: RowNorm,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        // A constant stands in for an absent parent.
        let dtype: FloatDType = x.dtype().into();
        let constant = <Self as burn::backend::ops::FloatTensorOps<Self>>::float_zeros(
            [1].into(),
            &x.device(),
            dtype,
        );
        let weight = weight.into_option();
        let bias = bias.into_option();
        let weight_node = weight.as_ref().unwrap_or(&constant).node();
        let bias_node = bias.as_ref().unwrap_or(&constant).node();
        match NormBackward
            .prepare::<C>([x.node(), weight_node, bias_node])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(mut prep) => {
                let saved = Saved {
                    x: prep.checkpoint(&x),
                    weight: weight.as_ref().map(|weight| prep.checkpoint(weight)),
                    norm,
                    epsilon,
                    has_bias: bias.is_some(),
                };
                let output = B::fused_row_norm(
                    x.into_primitive(),
                    weight.map(|weight| weight.into_primitive()).into(),
                    bias.map(|bias| bias.into_primitive()).into(),
                    norm,
                    epsilon,
                );
                prep.finish(saved, output)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::fused_row_norm(
                x.into_primitive(),
                weight.map(|weight| weight.into_primitive()).into(),
                bias.map(|bias| bias.into_primitive()).into(),
                norm,
                epsilon,
            )),
        }
    }
}
