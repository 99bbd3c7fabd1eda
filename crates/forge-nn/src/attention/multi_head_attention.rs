use burn::config::Config;
use burn::module::{Flag, Module, Param};
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::tensor::{Bool, Device, Tensor};

use super::KvCache;
use super::heads::{Heads, active_dropout, key_mask, split_heads};
use crate::ops::{AttentionMask, AttentionOptions};
use crate::{ForgeError, ModuleConfig, apply_linear, check};

/// Recipe of a [`MultiHeadAttention`].
#[derive(Config, Debug, PartialEq)]
pub struct MultiHeadAttentionConfig {
    /// Width of the tokens, a multiple of `n_heads`.
    pub d_model: usize,
    /// Heads, at least 1.
    pub n_heads: usize,
    /// Biases on all four projections.
    #[config(default = true)]
    pub bias: bool,
    /// Each token sees itself and those before it. Lengths may differ: the last query is aligned
    /// with the last key.
    #[config(default = false)]
    pub causal: bool,
    /// Width of the keys' tokens if it is not `d_model`.
    pub k_dim: Option<usize>,
    /// Width of the values' tokens if it is not `d_model`.
    pub v_dim: Option<usize>,
    /// Dropout on the weights after the softmax, in `[0, 1)`.
    #[config(default = 0.0)]
    pub dropout: f64,
}

/// Multi-head attention.
///
/// `head_h = softmax(Q_h K_hᵀ / √d) V_h`, `y = W_o [head_1 … head_H]`, with
/// `[Q, K, V] = W_in x + b`.
///
/// Vaswani et al., arXiv 1706.03762, section 3.2.2; parameters and their start as in PyTorch's
/// `nn.MultiheadAttention` (Xavier-uniform projections, zero biases). Unlike Burn's, dropout acts
/// after the softmax.
#[derive(Module, Debug)]
pub struct MultiHeadAttention {
    /// Of queries, keys and values.
    pub in_proj: InputProjection,
    /// `[D, D]`.
    pub out_proj: Linear,
    /// Whether dropout may act.
    pub training: Param<Flag>,
    n_heads: usize,
    causal: bool,
    dropout: f64,
}

/// The way in to the heads.
#[derive(Module, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "one a layer, and `Module` takes no boxes"
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
        let xavier = Initializer::XavierUniform { gain: 1.0 };
        let projection = |from, to| {
            let linear = LinearConfig::new(from, to).with_initializer(xavier.clone());
            self.zero_bias(linear, device)
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
        MultiHeadAttention {
            in_proj,
            out_proj: self.zero_bias(LinearConfig::new(width, width), device),
            training: Param::from_bool(true),
            n_heads: self.n_heads,
            causal: self.causal,
            dropout: self.dropout,
        }
    }
}

impl MultiHeadAttentionConfig {
    fn zero_bias(&self, linear: LinearConfig, device: &Device) -> Linear {
        let width = linear.d_output;
        let mut linear = linear.with_bias(false).init(device);
        linear.bias = self.bias.then(|| Initializer::Zeros.init([width], device));
        linear
    }
}

impl MultiHeadAttention {
    /// Self-attention.
    ///
    /// # Shapes
    /// - x and output: `[B, T, D]`
    /// - bias: `[H, T, T]`, added to the scores
    ///
    /// # Panics
    /// If the shapes disagree or the layer was made for other key and value widths.
    pub fn forward(&self, x: Tensor<3>, mask: AttentionMask, bias: Option<Tensor<3>>) -> Tensor<3> {
        let mixed = self.project_self(x).attend(mask, bias, &self.options());
        apply_linear(&self.out_proj, mixed)
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
        (apply_linear(&self.out_proj, mixed), map)
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
        apply_linear(&self.out_proj, heads.attend(mask, bias, &self.options()))
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
        (apply_linear(&self.out_proj, mixed), map)
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
        let mixed = heads.attend(key_mask(context.valid), None, &self.options());
        apply_linear(&self.out_proj, mixed)
    }

    fn options(&self) -> AttentionOptions {
        AttentionOptions {
            causal: self.causal,
            dropout: active_dropout(self.dropout, &self.training),
            ..AttentionOptions::default()
        }
    }

    fn project_self(&self, x: Tensor<3>) -> Heads {
        let InputProjection::Stacked(in_proj) = &self.in_proj else {
            return self.project_cross(x.clone(), x.clone(), x);
        };
        let width = x.dims()[2];
        let all = apply_linear(in_proj, x);
        let part = |i: usize| split_heads(all.clone().narrow(2, i * width, width), self.n_heads);
        Heads {
            q: part(0),
            k: part(1),
            v: part(2),
        }
    }

    fn project_cross(&self, query: Tensor<3>, key: Tensor<3>, value: Tensor<3>) -> Heads {
        let [q, k, v] = match &self.in_proj {
            InputProjection::Stacked(in_proj) => {
                let width = query.dims()[2];
                let weight = in_proj.weight.val();
                let bias = in_proj.bias.as_ref().map(|bias| bias.val());
                let part = |x: Tensor<3>, i: usize| {
                    let weight = weight.clone().narrow(1, i * width, width);
                    let bias = bias.clone().map(|bias| bias.narrow(0, i * width, width));
                    crate::ops::linear(x, weight, bias)
                };
                [part(query, 0), part(key, 1), part(value, 2)]
            }
            InputProjection::Separate(separate) => [
                apply_linear(&separate.q, query),
                apply_linear(&separate.k, key),
                apply_linear(&separate.v, value),
            ],
        };
        Heads {
            q: split_heads(q, self.n_heads),
            k: split_heads(k, self.n_heads),
            v: split_heads(v, self.n_heads),
        }
    }
}
