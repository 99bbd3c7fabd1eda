//! The differentiation rule of packed attention.

use burn::backend::Backend;
use burn::backend::autodiff::{
    Autodiff, NodeId,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind, unary},
};
use burn::backend::tensor::{BoolTensor, FloatTensor};

use super::{AttentionOps, AttentionParams, PackedHeads};

#[derive(Debug)]
struct PackedBackward;

#[derive(Clone, Debug)]
struct Saved<B: Backend> {
    qkv: NodeId,
    mask: Option<BoolTensor<B>>,
    drawn: Option<FloatTensor<B>>,
    output: FloatTensor<B>,
    statistics: FloatTensor<B>,
    heads: PackedHeads,
    params: AttentionParams,
}

impl<B: Backend + AttentionOps> Backward<B, 1> for PackedBackward {
    type State = Saved<B>;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let saved = ops.state;
        let qkv = checkpointer.retrieve_node_output(saved.qkv);
        unary::<B, _>(ops.parents, ops.node, grads, |dy| {
            B::fused_packed_attention_backward(
                qkv,
                saved.mask.into(),
                saved.drawn.into(),
                saved.output,
                saved.statistics,
                dy,
                saved.heads,
                saved.params,
            )
        });
    }
}

/// Packed attention, recorded for differentiation.
pub(super) fn record<B: Backend + AttentionOps, C: CheckpointStrategy>(
    qkv: FloatTensor<Autodiff<B, C>>,
    mask: Option<BoolTensor<B>>,
    drawn: Option<FloatTensor<B>>,
    heads: PackedHeads,
    params: AttentionParams,
) -> FloatTensor<Autodiff<B, C>> {
    let input = mask.clone().into();
    match PackedBackward
        .prepare::<C>([qkv.node()])
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(mut prep) => {
            let id = prep.checkpoint(&qkv);
            let (output, statistics) = B::fused_packed_attention_forward(
                qkv.into_primitive(),
                input,
                drawn.clone().into(),
                heads,
                params,
            );
            let saved = Saved {
                qkv: id,
                mask,
                drawn,
                output: output.clone(),
                statistics,
                heads,
                params,
            };
            prep.finish(saved, output)
        }
        OpsKind::UnTracked(prep) => prep.finish(B::fused_packed_attention(
            qkv.into_primitive(),
            input,
            drawn.into(),
            heads,
            params,
        )),
    }
}
