//! Packed attention made of Burn's operations.

use burn::backend::Backend;
use burn::backend::tensor::{BoolTensor, FloatTensor};

use super::{AttentionParams, PackedHeads, reference};
use crate::ops::expression::Expr;

/// Queries, keys and values `[B, heads, T, D]` out of `[B, T, (H + 2 Hkv) D]`.
fn unpacked<B: Backend>(qkv: Expr<B>, heads: PackedHeads) -> [Expr<B>; 3] {
    let shape = qkv.shape();
    let (batch, tokens) = (shape[0], shape[1]);
    let width = shape[2] / (heads.heads + 2 * heads.groups);
    let mut from = 0;
    [heads.heads, heads.groups, heads.groups].map(|count| {
        let part = qkv.clone().narrow(2, from, from + count * width);
        from += count * width;
        Expr(B::float_swap_dims(
            part.reshape([batch, tokens, count, width]).0,
            1,
            2,
        ))
    })
}

/// `[B, H, T, D]` as `[B, T, H D]`.
fn merged<B: Backend>(x: FloatTensor<B>) -> Expr<B> {
    let x = Expr::<B>(B::float_swap_dims(x, 1, 2));
    let shape = x.shape();
    x.reshape([shape[0], shape[1], shape[2] * shape[3]])
}

/// The output `[B, T, H D]` and the log-sums.
pub(super) fn forward<B: Backend>(
    qkv: FloatTensor<B>,
    mask: Option<BoolTensor<B>>,
    heads: PackedHeads,
    params: &AttentionParams,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let [q, k, v] = unpacked(Expr::<B>(qkv), heads);
    let (output, log_sum, _) = reference::forward::<B>(q.0, k.0, v.0, None, mask, params);
    (merged::<B>(output).0, log_sum)
}

/// The gradient of `qkv`.
pub(super) fn backward<B: Backend>(
    qkv: FloatTensor<B>,
    mask: Option<BoolTensor<B>>,
    dy: FloatTensor<B>,
    heads: PackedHeads,
    params: &AttentionParams,
) -> FloatTensor<B> {
    let [q, k, v] = unpacked(Expr::<B>(qkv), heads);
    let shape = v.shape();
    let dy = Expr::<B>(dy).reshape([shape[0], shape[2], heads.heads, shape[3]]);
    let dy = B::float_swap_dims(dy.0, 1, 2);
    let (dq, dk, dv, _) = reference::backward::<B>(q.0, k.0, v.0, None, mask, dy, params);
    let parts = [dq, dk, dv].map(merged::<B>);
    Expr::cat(parts.into(), 2).0
}
