//! The differentiation rule of attention.

use burn::backend::Backend;
use burn::backend::autodiff::{
    Autodiff, NodeId,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use burn::backend::tensor::{BoolTensor, FloatTensor};

use super::{AttentionOps, AttentionParams, PackedHeads, packed_backward};
use crate::ops::optional::{OptionalBool, OptionalFloat, node_or_constant};

#[derive(Debug)]
struct AttentionBackward;

/// Inputs are kept by the graph; `output` and `statistics` spare the kernels a pass over the keys.
#[derive(Clone, Debug)]
struct Saved<B: Backend> {
    q: NodeId,
    k: NodeId,
    v: NodeId,
    bias: Option<NodeId>,
    mask: Option<BoolTensor<B>>,
    drawn: Option<FloatTensor<B>>,
    output: FloatTensor<B>,
    statistics: FloatTensor<B>,
    params: AttentionParams,
}

impl<B: Backend + AttentionOps> Backward<B, 4> for AttentionBackward {
    type State = Saved<B>;

    fn backward(
        self,
        ops: Ops<Self::State, 4>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [q, k, v, bias] = ops.parents;
        let dy = grads.consume::<B>(&ops.node);
        let saved = ops.state;
        let bias_input = match saved.bias {
            Some(id) => OptionalFloat::Present(checkpointer.retrieve_node_output(id)),
            None => OptionalFloat::Absent,
        };
        let (dq, dk, dv, dbias) = B::fused_attention_backward(
            checkpointer.retrieve_node_output(saved.q),
            checkpointer.retrieve_node_output(saved.k),
            checkpointer.retrieve_node_output(saved.v),
            bias_input,
            saved.mask.into(),
            saved.drawn.into(),
            saved.output,
            saved.statistics,
            dy,
            saved.params,
        );
        for (node, gradient) in [(q, dq), (k, dk), (v, dv), (bias, dbias)] {
            if let Some(node) = node {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

impl<B: Backend + AttentionOps, C: CheckpointStrategy> AttentionOps for Autodiff<B, C> {
    fn fused_attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        bias: OptionalFloat<Self>,
        mask: OptionalBool<Self>,
        drawn: OptionalFloat<Self>,
        params: AttentionParams,
    ) -> FloatTensor<Self> {
        let bias = bias.into_option();
        let mask = mask.into_option();
        // A random number: nothing flows back into it.
        let drawn = drawn.into_option().map(|drawn| drawn.into_primitive());
        let bias_node = node_or_constant(bias.as_ref(), &q);
        let inner_mask = || mask.clone().into();
        match AttentionBackward
            .prepare::<C>([q.node(), k.node(), v.node(), bias_node])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(mut prep) => {
                let ids = [
                    prep.checkpoint(&q),
                    prep.checkpoint(&k),
                    prep.checkpoint(&v),
                ];
                let bias_id = bias.as_ref().map(|bias| prep.checkpoint(bias));
                let (output, statistics) = B::fused_attention_forward(
                    q.into_primitive(),
                    k.into_primitive(),
                    v.into_primitive(),
                    bias.map(|bias| bias.into_primitive()).into(),
                    inner_mask(),
                    drawn.clone().into(),
                    params,
                );
                let saved = Saved {
                    q: ids[0],
                    k: ids[1],
                    v: ids[2],
                    bias: bias_id,
                    mask: mask.clone(),
                    drawn,
                    output: output.clone(),
                    statistics,
                    params,
                };
                prep.finish(saved, output)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::fused_attention(
                q.into_primitive(),
                k.into_primitive(),
                v.into_primitive(),
                bias.map(|bias| bias.into_primitive()).into(),
                inner_mask(),
                drawn.into(),
                params,
            )),
        }
    }

    fn fused_packed_attention(
        qkv: FloatTensor<Self>,
        mask: OptionalBool<Self>,
        drawn: OptionalFloat<Self>,
        heads: PackedHeads,
        params: AttentionParams,
    ) -> FloatTensor<Self> {
        let drawn = drawn.into_option().map(|drawn| drawn.into_primitive());
        packed_backward::record::<B, C>(qkv, mask.into_option(), drawn, heads, params)
    }
}
