//! Multi-head attention.

use burn::module::Module;
use burn::nn::Initializer;
use burn::tensor::{Bool, Device, Tensor};

use super::KvCache;
use super::heads::{Heads, key_mask, split_heads};
use crate::config_macro::config;
use crate::ops::{AttentionMask, AttentionOptions, PackedHeads, attention_packed, parts};
use crate::regularisation::{Dropout, DropoutConfig};
use crate::{ForgeError, Linear, LinearConfig, ModuleConfig, check};

config! {
    /// Recipe of a [`MultiHeadAttention`].
    pub struct MultiHeadAttentionConfig {
        /// Width of the tokens, a multiple of `n_heads`.
        pub d_model: usize,
        /// Heads, at least 1.
        pub n_heads: usize,
        /// Biases on all projections, from zeros.
        #[config(default = true)]
        pub bias: bool,
        /// Each token sees itself and those before it. Lengths may differ: the last query is aligned
        /// with the last key.
        #[config(default = false)]
        pub causal: bool,
        /// Width of the keys' tokens if it is not `d_model`.
        #[config(default = None)]
        pub k_dim: Option<usize>,
        /// Width of the values' tokens if it is not `d_model`.
        #[config(default = None)]
        pub v_dim: Option<usize>,
        /// Dropout on the weights after the softmax, in `[0, 1)`.
        #[config(default = 0.0)]
        pub dropout: f64,
        /// How the projections of queries, keys and values start.
        #[config(default = Initializer::XavierUniform { gain: 1.0 })]
        pub initializer: Initializer,
        /// Project the heads' outputs. Without it they are the layer's output as they are.
        #[config(default = true)]
        pub output_projection: bool,
    }
}

/// Multi-head attention.
///
/// `head_h = softmax(Q_h K_hᵀ / √d) V_h`, `y = W_o [head_1 … head_H] + b_o`, with
/// `[Q, K, V] = W_in x + b_in`.
///
/// Vaswani et al., arXiv 1706.03762, section 3.2.2; parameters and their start as in PyTorch's
/// `nn.MultiheadAttention` (Xavier-uniform projections, zero biases). Unlike Burn's, dropout acts
/// after the softmax.
#[derive(Module, Debug)]
pub struct MultiHeadAttention {
    /// Of queries, keys and values.
    pub in_proj: InputProjection,
    /// `[D, D]`, if asked for.
    pub out_proj: Option<Linear>,
    /// On the weights after the softmax.
    pub dropout: Dropout,
    d_model: usize,
    n_heads: usize,
    causal: bool,
}

/// The way in to the heads.
#[derive(Module, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "one per layer, and `Module` takes no boxes"
)]
pub enum InputProjection {
    /// Queries, keys and values are equally wide: one matrix `[D, 3·D]`, in that order.
    Stacked(Linear),
    /// Widths differ.
    Separate(SeparateProjections),
}

/// Projections of queries, keys and values of different widths.
#[derive(Module, Debug)]
pub struct SeparateProjections {
    /// `[D, D]`.
    pub q: Linear,
    /// `[k_dim, D]`.
    pub k: Linear,
    /// `[v_dim, D]`.
    pub v: Linear,
}

impl ModuleConfig for MultiHeadAttentionConfig {
    type Module = MultiHeadAttention;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("d_model", self.d_model)?;
        check::divides("n_heads", self.n_heads, "d_model", self.d_model)?;
        check::at_least_one("k_dim", self.k_dim.unwrap_or(1))?;
        check::at_least_one("v_dim", self.v_dim.unwrap_or(1))?;
        check::probability("dropout", self.dropout)
    }

    fn build(&self, device: &Device) -> MultiHeadAttention {
        let width = self.d_model;
        let linear = |from, to| {
            LinearConfig::new(from, to)
                .with_bias(self.bias)
                .with_bias_initializer(Some(Initializer::Zeros))
        };
        let projection = |from, to| {
            linear(from, to)
                .with_initializer(self.initializer.clone())
                .build(device)
        };
        let (k_dim, v_dim) = (self.k_dim.unwrap_or(width), self.v_dim.unwrap_or(width));
        let in_proj = if k_dim == width && v_dim == width {
            InputProjection::Stacked(projection(width, 3 * width))
        } else {
            InputProjection::Separate(SeparateProjections {
                q: projection(width, width),
                k: projection(k_dim, width),
                v: projection(v_dim, width),
            })
        };
        let out_proj = self
            .output_projection
            .then(|| linear(width, width).build(device));
        MultiHeadAttention {
            in_proj,
            out_proj,
            dropout: DropoutConfig::new(self.dropout).build(device),
            d_model: self.d_model,
            n_heads: self.n_heads,
            causal: self.causal,
        }
    }
}

impl MultiHeadAttention {
    /// Self-attention. Without a bias, and with keys and values as wide as the queries, no head is
    /// copied: it is [`attention_packed`] on the output of one product.
    ///
    /// # Shapes
    /// - x and output: `[B, T, D]`
    /// - bias: `[H, T, T]`, added to the scores
    ///
    /// # Panics
    /// If the shapes disagree or the layer was made for other key and value widths.
    pub fn forward(&self, x: Tensor<3>, mask: AttentionMask, bias: Option<Tensor<3>>) -> Tensor<3> {
        let options = self.options();
        let mixed = match (&self.in_proj, bias) {
            (InputProjection::Stacked(in_proj), None) => {
                let heads = PackedHeads::equal(self.n_heads);
                attention_packed(in_proj.forward(x), heads, mask, &options)
            }
            (_, bias) => self.project_self(x).attend(mask, bias, &options),
        };
        self.project_out(mixed)
    }

    /// [`forward`](Self::forward) and the map `[B, H, T, T]`.
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn forward_with_map(
        &self,
        x: Tensor<3>,
        mask: AttentionMask,
        bias: Option<Tensor<3>>,
    ) -> (Tensor<3>, Tensor<4>) {
        let heads = self.project_self(x);
        let (mixed, map) = heads.attend_with_map(mask, bias, &self.options());
        (self.project_out(mixed), map)
    }

    /// The first token of [`forward`](Self::forward) alone, without computing the others: they are
    /// keys and values only.
    ///
    /// # Shapes
    /// - x: `[B, T, D]`, `T` at least 1
    /// - mask: of `Tq = 1`
    /// - output: `[B, 1, D]`
    ///
    /// # Panics
    /// If the layer is causal (its first token sees itself alone) or the shapes disagree.
    pub fn forward_first(&self, x: Tensor<3>, mask: AttentionMask) -> Tensor<3> {
        let mixed = self.project_first(x).attend(mask, None, &self.options());
        self.project_out(mixed)
    }

    /// [`forward_first`](Self::forward_first) and the map `[B, H, 1, T]`.
    ///
    /// # Panics
    /// As [`forward_first`](Self::forward_first).
    pub fn forward_first_with_map(
        &self,
        x: Tensor<3>,
        mask: AttentionMask,
    ) -> (Tensor<3>, Tensor<4>) {
        let heads = self.project_first(x);
        let (mixed, map) = heads.attend_with_map(mask, None, &self.options());
        (self.project_out(mixed), map)
    }

    /// Attention of `query` to `key` and `value`.
    ///
    /// # Shapes
    /// - query and output: `[B, Tq, D]`
    /// - key: `[B, Tk, k_dim]`, value: `[B, Tk, v_dim]`
    /// - bias: `[H, Tq, Tk]`, added to the scores
    ///
    /// # Panics
    /// If the shapes disagree.
    pub fn forward_cross(
        &self,
        query: Tensor<3>,
        key: Tensor<3>,
        value: Tensor<3>,
        mask: AttentionMask,
        bias: Option<Tensor<3>>,
    ) -> Tensor<3> {
        let heads = self.project_cross(query, key, value);
        self.project_out(heads.attend(mask, bias, &self.options()))
    }

    /// [`forward_cross`](Self::forward_cross) and the map `[B, H, Tq, Tk]`.
    ///
    /// # Panics
    /// As [`forward_cross`](Self::forward_cross).
    pub fn forward_cross_with_map(
        &self,
        query: Tensor<3>,
        key: Tensor<3>,
        value: Tensor<3>,
        mask: AttentionMask,
        bias: Option<Tensor<3>>,
    ) -> (Tensor<3>, Tensor<4>) {
        let heads = self.project_cross(query, key, value);
        let (mixed, map) = heads.attend_with_map(mask, bias, &self.options());
        (self.project_out(mixed), map)
    }

    /// Causal self-attention for the next piece of a sequence whose earlier pieces are in `cache`.
    ///
    /// # Shapes
    /// - x and output: `[B, T, D]`
    /// - key_valid: `[B, T]`, true for the piece's tokens that count
    ///
    /// # Panics
    /// If the layer is not causal or the shapes disagree.
    pub fn forward_cached(
        &self,
        x: Tensor<3>,
        key_valid: Option<Tensor<2, Bool>>,
        cache: &mut KvCache,
    ) -> Tensor<3> {
        assert!(self.causal, "only a causal layer can use a cache");
        let Heads { q, k, v } = self.project_self(x);
        let context = cache.push(k, v, key_valid, None);
        let (k, v) = (context.keys, context.values);
        let heads = Heads { q, k, v };
        self.project_out(heads.attend(key_mask(context.valid), None, &self.options()))
    }

    fn options(&self) -> AttentionOptions {
        AttentionOptions {
            causal: self.causal,
            dropout: self.dropout.rate(),
            ..AttentionOptions::default()
        }
    }

    fn project_self(&self, x: Tensor<3>) -> Heads {
        match &self.in_proj {
            InputProjection::Stacked(in_proj) => {
                self.heads(parts(in_proj.forward(x), 2, [self.d_model; 3]))
            }
            InputProjection::Separate(_) => self.project_cross(x.clone(), x.clone(), x),
        }
    }

    fn project_first(&self, x: Tensor<3>) -> Heads {
        assert!(
            !self.causal,
            "the first token of a causal layer sees itself alone"
        );
        let first = x.clone().narrow(1, 0, 1);
        match &self.in_proj {
            InputProjection::Stacked(in_proj) => {
                let width = self.d_model;
                let q = in_proj.forward_columns(first, 0, width);
                let others = in_proj.forward_columns(x, width, 2 * width);
                let [k, v] = parts(others, 2, [width; 2]);
                self.heads([q, k, v])
            }
            InputProjection::Separate(_) => self.project_cross(first, x.clone(), x),
        }
    }

    fn project_cross(&self, query: Tensor<3>, key: Tensor<3>, value: Tensor<3>) -> Heads {
        let width = self.d_model;
        self.heads(match &self.in_proj {
            InputProjection::Stacked(in_proj) => [
                in_proj.forward_columns(query, 0, width),
                in_proj.forward_columns(key, width, width),
                in_proj.forward_columns(value, 2 * width, width),
            ],
            InputProjection::Separate(separate) => [
                separate.q.forward(query),
                separate.k.forward(key),
                separate.v.forward(value),
            ],
        })
    }

    fn heads(&self, projections: [Tensor<3>; 3]) -> Heads {
        let [q, k, v] = projections.map(|x| split_heads(x, self.n_heads));
        Heads { q, k, v }
    }

    fn project_out(&self, mixed: Tensor<3>) -> Tensor<3> {
        match &self.out_proj {
            Some(out_proj) => out_proj.forward(mixed),
            None => mixed,
        }
    }
}
