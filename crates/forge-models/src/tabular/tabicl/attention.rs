//! Attention with scaled queries and rotary positions.

use burn::module::Module;
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};
use forge_nn::attention::{merge_heads, split_heads};
use forge_nn::ops::{AttentionMask, AttentionOptions, attention, attention_with_weights, parts};
use forge_nn::position::{RotaryEmbedding, RotaryTables};
use forge_nn::regularisation::{Dropout, DropoutConfig};
use forge_nn::{Linear, LinearConfig, ModuleConfig};

use super::ScalableSoftmax;
use super::block::BlockSize;

/// Positions of the keys; queries are the first tokens of the same sequence.
#[derive(Clone, Copy)]
pub(super) struct Positions<'a> {
    pub(super) rotary: &'a RotaryEmbedding,
    pub(super) tables: &'a RotaryTables,
}

impl Positions<'_> {
    fn turn(self, x: Tensor<4>) -> Tensor<4> {
        let time = x.dims()[2];
        let first = |table: &Tensor<2>| table.clone().narrow(0, 0, time);
        let tables = RotaryTables {
            cos: first(&self.tables.cos),
            sin: first(&self.tables.sin),
        };
        self.rotary.rotate(x, &tables)
    }
}

/// Multi-head attention: queries are projected, turned by their position, then scaled.
#[derive(Module, Debug)]
pub struct TabIclAttention {
    in_proj: Linear,
    out_proj: Linear,
    scale: Option<ScalableSoftmax>,
    dropout: Dropout,
    heads: usize,
}

impl TabIclAttention {
    pub(super) fn new(size: &BlockSize, device: &Device) -> Self {
        let (width, heads) = (size.width, size.heads);
        let linear =
            |to| LinearConfig::new(width, to).with_bias_initializer(Some(Initializer::Zeros));
        let in_proj = linear(3 * width).with_initializer(Initializer::XavierUniform { gain: 1.0 });
        Self {
            in_proj: in_proj.init(device),
            out_proj: size.last(linear(width)).init(device),
            scale: ScalableSoftmax::new(size.scaling, heads, width / heads, size.zero_init, device),
            dropout: DropoutConfig::new(size.dropout).build(device),
            heads,
        }
    }

    /// What the queries find, and where they look if that is wanted.
    ///
    /// # Shapes
    /// - q, output: `[B, Tq, D]`, kv: `[B, Tk, D]`
    /// - map: `[B, H, Tq, Tk]`
    pub(super) fn forward(
        &self,
        q: Tensor<3>,
        kv: Tensor<3>,
        positions: Option<Positions<'_>>,
        want: bool,
    ) -> (Tensor<3>, Option<Tensor<4>>) {
        let (width, keys) = (q.dims()[2], kv.dims()[1]);
        let heads = |x| split_heads(x, self.heads);
        let turned = |x| match positions {
            Some(positions) => positions.turn(x),
            None => x,
        };
        let q = turned(heads(self.in_proj.forward_columns(q, 0, width)));
        let kv = self.in_proj.forward_columns(kv, width, 2 * width);
        let [k, v] = parts(kv, 2, [width; 2]);
        let (k, v) = (turned(heads(k)), heads(v));
        let q = match &self.scale {
            Some(scale) => scale.scale(q, keys),
            None => q,
        };
        let options = AttentionOptions {
            dropout: self.dropout.rate(),
            ..AttentionOptions::default()
        };
        let mask = AttentionMask::none();
        let (mixed, map) = match want {
            true => {
                let (mixed, map) = attention_with_weights(q, k, v, mask, None, &options);
                (mixed, Some(map))
            }
            false => (attention(q, k, v, mask, None, &options), None),
        };
        (self.out_proj.forward(merge_heads(mixed)), map)
    }
}
