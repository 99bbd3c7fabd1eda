//! Between tokens and heads.

use burn::tensor::{Bool, Tensor};

use crate::ops::{AttentionMask, AttentionOptions, Axes, attention, attention_with_weights};

/// Between the tokens of a layer and the heads that [`ops::attention`](crate::ops::attention) takes.
///
/// # Shapes
/// - x: `[B, T, H·D]`
/// - output: `[B, H, T, D]`
///
/// # Panics
/// If `heads` does not divide the width.
#[must_use]
pub fn split_heads(x: Tensor<3>, heads: usize) -> Tensor<4> {
    let [batch, time, width] = x.dims();
    x.reshape([batch, time, heads, width / heads]).swapped(1, 2)
}

/// The way back of [`split_heads`].
///
/// # Shapes
/// - x: `[B, H, T, D]`
/// - output: `[B, T, H·D]`
#[must_use]
pub fn merge_heads(x: Tensor<4>) -> Tensor<3> {
    let [batch, heads, time, width] = x.dims();
    x.swapped(1, 2).reshape([batch, time, heads * width])
}

/// Each head `times` times in a row, for the query heads that share it.
///
/// # Shapes
/// - x: `[B, Hkv, T, D]`
/// - output: `[B, Hkv·times, T, D]`
pub(super) fn repeat_heads(x: Tensor<4>, times: usize) -> Tensor<4> {
    if times == 1 {
        return x;
    }
    let [batch, heads, time, width] = x.dims();
    x.unsqueeze_dim::<5>(2)
        .expand([batch, heads, times, time, width])
        .reshape([batch, heads * times, time, width])
}

/// Queries, keys and values of one call, `[B, H or Hkv, T, D]`.
pub(super) struct Heads {
    pub(super) q: Tensor<4>,
    pub(super) k: Tensor<4>,
    pub(super) v: Tensor<4>,
}

impl Heads {
    /// The mixed values, `[B, Tq, H·D]`.
    pub(super) fn attend(
        self,
        mask: AttentionMask,
        bias: Option<Tensor<3>>,
        options: &AttentionOptions,
    ) -> Tensor<3> {
        merge_heads(attention(self.q, self.k, self.v, mask, bias, options))
    }

    /// The mixed values, `[B, Tq, H·D]`, and the map, `[B, H, Tq, Tk]`.
    pub(super) fn attend_with_map(
        self,
        mask: AttentionMask,
        bias: Option<Tensor<3>>,
        options: &AttentionOptions,
    ) -> (Tensor<3>, Tensor<4>) {
        let (mixed, map) = attention_with_weights(self.q, self.k, self.v, mask, bias, options);
        (merge_heads(mixed), map)
    }
}

/// A mask of keys, or none.
pub(super) fn key_mask(key_valid: Option<Tensor<2, Bool>>) -> AttentionMask {
    key_valid.map_or_else(AttentionMask::none, AttentionMask::key_valid)
}
