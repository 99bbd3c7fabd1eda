//! Attention in which some queries share the first head's keys and values.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};
use forge_nn::attention::{merge_heads, split_heads};
use forge_nn::ops::{
    AttentionMask, AttentionOptions, Axes, PackedHeads, attention, attention_packed,
    attention_with_weights, linear, parts,
};

/// Multi-head attention without biases, whose queries may all look at the keys and values of the
/// first head (multi-query attention, Shazeer 2019, with the weights of multi-head attention).
///
/// The weights keep the reference's layout.
#[derive(Module, Debug)]
pub struct SharedHeadAttention {
    /// Queries, keys and values, `[3, H, D_h, D]`.
    pub w_qkv: Param<Tensor<4>>,
    /// `[H, D_h, D]`.
    pub w_out: Param<Tensor<3>>,
    heads: usize,
}

/// What queries look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    /// Each head at its own keys and values.
    OfEachHead,
    /// All heads at those of the first.
    OfTheFirstHead,
}

impl SharedHeadAttention {
    /// Projections start uniformly as the reference's; the output projection as a Xavier matrix.
    pub(super) fn new(width: usize, heads: usize, device: &Device) -> Self {
        let head = width / heads;
        let uniform = |bound: f64| Initializer::Uniform {
            min: -bound,
            max: bound,
        };
        // Of fans `width` and `width`: ±√3 · √(2 / 2 width) for both.
        let start = uniform((3.0 / width as f64).sqrt());
        Self {
            w_qkv: start.init([3, heads, head, width], device),
            w_out: start.init([heads, head, width], device),
            heads,
        }
    }

    pub(super) fn parameter_count(width: usize) -> usize {
        4 * width * width
    }

    /// Every token looks at every token.
    ///
    /// # Shapes
    /// - x, output: `[B, T, D]`
    pub(super) fn within(&self, x: Tensor<3>) -> Tensor<3> {
        let heads = PackedHeads {
            heads: self.heads,
            groups: self.heads,
        };
        let qkv = self.project(x, 0, 3, self.heads);
        let options = AttentionOptions::default();
        self.output(attention_packed(
            qkv,
            heads,
            AttentionMask::none(),
            &options,
        ))
    }

    /// Some tokens look at others; where they look, if that is wanted.
    ///
    /// # Shapes
    /// - q, output: `[B, Tq, D]`, kv: `[B, Tk, D]`
    /// - map: `[B, H, Tq, Tk]`
    pub(super) fn across(
        &self,
        q: Tensor<3>,
        kv: Tensor<3>,
        keys: Keys,
        want: bool,
    ) -> (Tensor<3>, Option<Tensor<4>>) {
        let groups = match keys {
            Keys::OfEachHead => self.heads,
            Keys::OfTheFirstHead => 1,
        };
        let q = split_heads(self.project(q, 0, 1, self.heads), self.heads);
        let kv = self.project(kv, 1, 2, groups);
        let width = kv.dims()[2] / 2;
        let [k, v] = parts(kv, 2, [width; 2]).map(|part| split_heads(part, groups));
        let (mask, options) = (AttentionMask::none(), AttentionOptions::default());
        if !want {
            let mixed = attention(q, k, v, mask, None, &options);
            return (self.output(merge_heads(mixed)), None);
        }
        let (mixed, map) = attention_with_weights(q, k, v, mask, None, &options);
        (self.output(merge_heads(mixed)), Some(map))
    }

    /// `parts` of queries (0), keys (1) and values (2) from `from` on, of the first `heads` heads.
    fn project(&self, x: Tensor<3>, from: usize, parts: usize, heads: usize) -> Tensor<3> {
        let weight = self.w_qkv.val().narrow(0, from, parts).narrow(1, 0, heads);
        let [_, _, head, width] = weight.dims();
        let weight = weight.reshape([parts * heads * head, width]).transposed();
        linear(x, weight, None)
    }

    fn output(&self, mixed: Tensor<3>) -> Tensor<3> {
        let weight = self.w_out.val();
        let [heads, head, width] = weight.dims();
        linear(mixed, weight.reshape([heads * head, width]), None)
    }
}
