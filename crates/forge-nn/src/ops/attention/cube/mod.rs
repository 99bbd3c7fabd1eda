//! Attention as CubeCL programs: tiles of scores in registers, an online softmax, and a backward
//! pass that recomputes the scores from the saved softmax. Memory is linear in the number of tokens
//! in both passes.
//!
//! Heads are read where they lie, as long as the features of a head are adjacent; results are
//! stored as `[B, T, H, D]`, which is what the projections around an attention layer want, and
//! seen as `[B, H, T, D]`.

mod backward;
mod backward_bias;
mod backward_keys;
mod backward_queries;
mod block;
mod call;
mod dropout;
mod form;
mod forward;
mod heads;
mod matrix;
mod place;
mod scores;
mod statistics;
mod tile;

use burn::backend::TensorMetadata;
use burn::backend::ops::FloatTensorOps;
use burn_cubecl::CubeBackend;
use burn_cubecl::tensor::CubeTensor;

use super::{AttentionOps, AttentionParams, PackedHeads, reference};
use crate::ops::compute_dtype::compute_dtype;
use crate::ops::optional::{OptionalBool, OptionalFloat};
use call::Call;
use heads::Heads;

impl AttentionOps for CubeBackend {
    fn fused_attention(
        q: CubeTensor,
        k: CubeTensor,
        v: CubeTensor,
        bias: OptionalFloat<Self>,
        mask: OptionalBool<Self>,
        drawn: OptionalFloat<Self>,
        params: AttentionParams,
    ) -> CubeTensor {
        Self::fused_attention_forward(q, k, v, bias, mask, drawn, params).0
    }

    fn fused_attention_forward(
        q: CubeTensor,
        k: CubeTensor,
        v: CubeTensor,
        bias: OptionalFloat<Self>,
        mask: OptionalBool<Self>,
        drawn: OptionalFloat<Self>,
        params: AttentionParams,
    ) -> (CubeTensor, CubeTensor) {
        if q.shape()[3] == 0 {
            return without_features(q, k, v, [bias, drawn], mask, &params);
        }
        let call = Call::new([q, k, v].map(Heads::new), bias, mask, drawn, params);
        let (output, softmax) = call.forward();
        (output.tensor, softmax)
    }

    fn fused_attention_backward(
        q: CubeTensor,
        k: CubeTensor,
        v: CubeTensor,
        bias: OptionalFloat<Self>,
        mask: OptionalBool<Self>,
        drawn: OptionalFloat<Self>,
        output: CubeTensor,
        statistics: CubeTensor,
        dy: CubeTensor,
        params: AttentionParams,
    ) -> (CubeTensor, CubeTensor, CubeTensor, CubeTensor) {
        if q.shape()[3] == 0 {
            let params = params.with_drawn::<Self>(drawn);
            let (bias, mask) = (bias.into_option(), mask.into_option());
            return reference::backward::<Self>(q, k, v, bias, mask, dy, &params);
        }
        let call = Call::new([q, k, v].map(Heads::new), bias, mask, drawn, params);
        let ([dq, dk, dv], dbias) =
            backward::run(&call, Heads::new(output), statistics, Heads::new(dy));
        (dq.tensor, dk.tensor, dv.tensor, dbias)
    }

    fn fused_packed_attention(
        qkv: CubeTensor,
        mask: OptionalBool<Self>,
        drawn: OptionalFloat<Self>,
        heads: PackedHeads,
        params: AttentionParams,
    ) -> CubeTensor {
        Self::fused_packed_attention_forward(qkv, mask, drawn, heads, params).0
    }

    fn fused_packed_attention_forward(
        qkv: CubeTensor,
        mask: OptionalBool<Self>,
        drawn: OptionalFloat<Self>,
        heads: PackedHeads,
        params: AttentionParams,
    ) -> (CubeTensor, CubeTensor) {
        let parts = Heads::packed(qkv, heads);
        let (output, softmax) =
            Call::new(parts, OptionalFloat::Absent, mask, drawn, params).forward();
        (output.merged(), softmax)
    }

    fn fused_packed_attention_backward(
        qkv: CubeTensor,
        mask: OptionalBool<Self>,
        drawn: OptionalFloat<Self>,
        output: CubeTensor,
        statistics: CubeTensor,
        dy: CubeTensor,
        heads: PackedHeads,
        params: AttentionParams,
    ) -> CubeTensor {
        let width = output.shape()[2] / heads.heads;
        let parts = Heads::packed(qkv, heads);
        let call = Call::new(parts, OptionalFloat::Absent, mask, drawn, params);
        let [output, dy] = [output, dy].map(|x| Heads::merged_from(x, heads.heads, width));
        let (parts, _) = backward::run(&call, output, statistics, dy);
        CubeBackend::float_cat(parts.map(Heads::merged).into(), 2)
    }
}

/// Heads without features: all keys weigh the same, and there is nothing to launch a program on. The
/// statistics are of the shape that they have elsewhere; nobody reads them.
fn without_features(
    q: CubeTensor,
    k: CubeTensor,
    v: CubeTensor,
    [bias, drawn]: [OptionalFloat<CubeBackend>; 2],
    mask: OptionalBool<CubeBackend>,
    params: &AttentionParams,
) -> (CubeTensor, CubeTensor) {
    let params = params.with_drawn::<CubeBackend>(drawn);
    let (bias, mask) = (bias.into_option(), mask.into_option());
    let shape = q.shape();
    let statistics = CubeBackend::float_zeros(
        [shape[0], shape[1], shape[2], 2].into(),
        &q.device,
        compute_dtype(q.dtype).into(),
    );
    let (output, ..) = reference::forward::<CubeBackend>(q, k, v, bias, mask, &params);
    (output, statistics)
}
