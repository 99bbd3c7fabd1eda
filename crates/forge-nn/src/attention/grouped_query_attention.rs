//! Attention whose query heads share keys and values.

use burn::module::Module;
use burn::tensor::{Bool, Device, Tensor};

use super::KvCache;
use super::heads::{Heads, key_mask, split_heads};
use crate::config_macro::config;
use crate::norm::{QkNorm, QkNormConfig, QkNormKind};
use crate::ops::{AttentionMask, AttentionOptions, PackedHeads, attention_packed, parts};
use crate::position::{RotaryEmbedding, RotaryEmbeddingConfig};
use crate::regularisation::{Dropout, DropoutConfig};
use crate::{ForgeError, Linear, LinearConfig, ModuleConfig, check};

config! {
    /// Recipe of a [`GroupedQueryAttention`].
    pub struct GroupedQueryAttentionConfig {
        /// Width of the tokens, at least 1.
        pub d_model: usize,
        /// Query heads, a multiple of `n_kv_heads`.
        pub n_heads: usize,
        /// Key and value heads: `n_heads` is multi-head, 1 is multi-query attention.
        pub n_kv_heads: usize,
        /// Width of a head; without it `d_model / n_heads`, which must then be whole.
        #[config(default = None)]
        pub head_dim: Option<usize>,
        /// Each token sees itself and those before it.
        #[config(default = false)]
        pub causal: bool,
        /// Neighbours seen on one side, the token itself extra; on both sides unless causal.
        #[config(default = None)]
        pub window: Option<usize>,
        /// Biases on both projections.
        #[config(default = false)]
        pub bias: bool,
        /// Dropout on the weights after the softmax, in `[0, 1)`.
        #[config(default = 0.0)]
        pub dropout: f64,
        /// Scores are squashed to `c · tanh(score / c)`; above 0.
        #[config(default = None)]
        pub softcap: Option<f64>,
        /// Turn queries and keys by their positions.
        #[config(default = None)]
        pub rotary: Option<RotaryEmbeddingConfig>,
        /// Normalise queries and keys over a head's width (before they are turned).
        #[config(default = None)]
        pub qk_norm: Option<QkNormKind>,
        /// Epsilon of that normalisation; above 0.
        #[config(default = 1e-6)]
        pub qk_norm_eps: f64,
    }
}

/// Self-attention whose query heads share key and value heads: head `h` of `H` uses key/value head
/// `h / (H / Hkv)`, scores are scaled by `1/√head_dim`.
///
/// Ainslie et al., "GQA", arXiv 2305.13245; with one key/value head Shazeer's multi-query
/// attention, arXiv 1911.02150. Rotary positions, normalised queries and keys, softcap and a window
/// are options, so that one layer serves the blocks of current models.
#[derive(Module, Debug)]
pub struct GroupedQueryAttention {
    /// `[D, (H + 2 Hkv)·d]`: the queries' columns, then the keys', then the values'.
    pub qkv_proj: Linear,
    /// `[H·d, D]`.
    pub o_proj: Linear,
    /// Of queries and keys, if asked for.
    pub qk_norm: Option<QkNorm>,
    /// Positions, if asked for.
    pub rotary: Option<RotaryEmbedding>,
    /// On the weights after the softmax.
    pub dropout: Dropout,
    n_heads: usize,
    n_kv_heads: usize,
    head_dim: usize,
    #[module(skip)]
    options: AttentionOptions,
}

impl GroupedQueryAttentionConfig {
    fn head_width(&self) -> usize {
        self.head_dim.unwrap_or(self.d_model / self.n_heads.max(1))
    }

    fn qk_norm_config(&self) -> Option<QkNormConfig> {
        let kind = self.qk_norm?;
        let config = QkNormConfig::new(kind, self.n_heads, self.head_width());
        Some(config.with_eps(self.qk_norm_eps))
    }
}

impl ModuleConfig for GroupedQueryAttentionConfig {
    type Module = GroupedQueryAttention;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("d_model", self.d_model)?;
        check::at_least_one("n_heads", self.n_heads)?;
        check::divides("n_kv_heads", self.n_kv_heads, "n_heads", self.n_heads)?;
        match self.head_dim {
            Some(width) => check::at_least_one("head_dim", width)?,
            None => check::divides("n_heads", self.n_heads, "d_model", self.d_model)?,
        }
        check::probability("dropout", self.dropout)?;
        if let Some(softcap) = self.softcap {
            check::positive("softcap", softcap)?;
        }
        if let Some(rotary) = &self.rotary {
            rotary.validate()?;
            check::in_range(
                "rotary.rotary_dim",
                rotary.rotary_dim,
                2..=self.head_width(),
            )?;
        }
        check::positive("qk_norm_eps", self.qk_norm_eps)
    }

    fn build(&self, device: &Device) -> GroupedQueryAttention {
        let width = self.head_width();
        let linear = |from, to| {
            LinearConfig::new(from, to)
                .with_bias(self.bias)
                .init(device)
        };
        let qk_norm = self.qk_norm_config().map(|config| config.build(device));
        let options = AttentionOptions {
            scale: qk_norm.as_ref().map(|norm| norm.scale(width)),
            causal: self.causal,
            window_left: self.window,
            window_right: self.window.filter(|_| !self.causal),
            softcap: self.softcap,
            dropout: 0.0,
        };
        GroupedQueryAttention {
            qkv_proj: linear(self.d_model, (self.n_heads + 2 * self.n_kv_heads) * width),
            o_proj: linear(self.n_heads * width, self.d_model),
            qk_norm,
            rotary: self.rotary.as_ref().map(|rotary| rotary.build(device)),
            dropout: DropoutConfig::new(self.dropout).build(device),
            n_heads: self.n_heads,
            n_kv_heads: self.n_kv_heads,
            head_dim: width,
            options,
        }
    }
}

impl GroupedQueryAttention {
    /// Self-attention; with rotary positions the first token is at position 0.
    ///
    /// Without a bias, positions and normalised queries and keys no head is copied: it is
    /// [`attention_packed`] on the output of one product.
    ///
    /// # Shapes
    /// - x and output: `[B, T, D]`
    /// - bias: `[H, T, T]`, added to the scores
    ///
    /// # Panics
    /// If the shapes disagree.
    pub fn forward(&self, x: Tensor<3>, mask: AttentionMask, bias: Option<Tensor<3>>) -> Tensor<3> {
        let options = self.options();
        let packed = bias.is_none() && self.qk_norm.is_none() && self.rotary.is_none();
        let mixed = if packed {
            let heads = PackedHeads {
                heads: self.n_heads,
                groups: self.n_kv_heads,
            };
            attention_packed(self.qkv_proj.forward(x), heads, mask, &options)
        } else {
            self.project(x, 0).attend(mask, bias, &options)
        };
        self.o_proj.forward(mixed)
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
        let heads = self.project(x, 0);
        let (mixed, map) = heads.attend_with_map(mask, bias, &self.options());
        (self.o_proj.forward(mixed), map)
    }

    /// Causal self-attention for the next piece of a sequence whose earlier pieces are in `cache`;
    /// rotary positions go on from there.
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
        assert!(self.options.causal, "only a causal layer can use a cache");
        let Heads { q, k, v } = self.project(x, cache.seen());
        let context = cache.push(k, v, key_valid, self.options.window_left);
        let (k, v) = (context.keys, context.values);
        let heads = Heads { q, k, v };
        let mixed = heads.attend(key_mask(context.valid), None, &self.options());
        self.o_proj.forward(mixed)
    }

    fn options(&self) -> AttentionOptions {
        AttentionOptions {
            dropout: self.dropout.rate(),
            ..self.options.clone()
        }
    }

    fn project(&self, x: Tensor<3>, offset: usize) -> Heads {
        let (heads, groups) = (self.n_heads, self.n_kv_heads);
        let widths = [heads, groups, groups].map(|heads| heads * self.head_dim);
        let [q, k, v] = parts(self.qkv_proj.forward(x), 2, widths);
        let mut q = split_heads(q, heads);
        let mut k = split_heads(k, groups);
        let v = split_heads(v, groups);
        if let Some(norm) = &self.qk_norm {
            q = norm.queries(q);
            k = norm.keys(k);
        }
        if let Some(rotary) = &self.rotary {
            let start = offset as i64;
            let positions: Vec<i64> = (start..start + q.dims()[2] as i64).collect();
            let tables = rotary.tables(&positions, &q.device(), q.dtype());
            q = rotary.rotate(q, &tables);
            k = rotary.rotate(k, &tables);
        }
        Heads { q, k, v }
    }
}
