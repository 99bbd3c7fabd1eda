//! The layer that all three transformers are made of.

use burn::module::Module;
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};
use forge_nn::norm::{LayerNorm, LayerNormConfig};
use forge_nn::ops::LinearActivation;
use forge_nn::regularisation::{Dropout, DropoutConfig};
use forge_nn::{Linear, LinearConfig, ModuleConfig};

use super::attention::Positions;
use super::{SoftmaxScaling, TabIclActivation, TabIclAttention};

/// What a block is made from.
#[derive(Debug, Clone)]
pub(super) struct BlockSize {
    pub(super) width: usize,
    pub(super) heads: usize,
    pub(super) hidden: usize,
    pub(super) scaling: SoftmaxScaling,
    pub(super) dropout: f64,
    pub(super) activation: TabIclActivation,
    pub(super) norm_bias: bool,
    pub(super) zero_init: bool,
}

impl BlockSize {
    pub(super) fn norm(&self, device: &Device) -> LayerNorm {
        norm(self.width, self.norm_bias, device)
    }

    /// The last linear map of a branch: zero at first, so that the branch adds nothing.
    pub(super) fn last(&self, linear: LinearConfig) -> LinearConfig {
        match self.zero_init {
            true => linear
                .with_initializer(Initializer::Zeros)
                .with_bias_initializer(Some(Initializer::Zeros)),
            false => linear,
        }
    }

    /// Number of parameters of a norm.
    pub(super) fn norm_count(&self) -> usize {
        self.width * (1 + usize::from(self.norm_bias))
    }

    /// Number of parameters of a block.
    pub(super) fn parameter_count(&self) -> usize {
        let (width, hidden) = (self.width, self.hidden);
        let scaling = self.scaling.parameter_count(self.heads, width / self.heads);
        let attention = 4 * (width + 1) * width + scaling;
        let feed_forward = (width + 1) * hidden + (hidden + 1) * width;
        attention + feed_forward + 2 * self.norm_count()
    }
}

/// A norm, with or without a shift.
pub(super) fn norm(width: usize, bias: bool, device: &Device) -> LayerNorm {
    LayerNormConfig::new(width).with_bias(bias).build(device)
}

/// `x ← q + Attention(Norm(q), Norm(kv))`, `x ← x + FeedForward(Norm(x))`.
#[derive(Module, Debug)]
pub struct TabIclBlock {
    attention_norm: LayerNorm,
    attention: TabIclAttention,
    ffn_norm: LayerNorm,
    ffn_in: Linear,
    ffn_out: Linear,
    dropout: Dropout,
    #[module(skip)]
    activation: TabIclActivation,
}

impl TabIclBlock {
    pub(super) fn new(size: &BlockSize, device: &Device) -> Self {
        let (width, hidden) = (size.width, size.hidden);
        Self {
            attention_norm: size.norm(device),
            attention: TabIclAttention::new(size, device),
            ffn_norm: size.norm(device),
            ffn_in: LinearConfig::new(width, hidden).init(device),
            ffn_out: size.last(LinearConfig::new(hidden, width)).init(device),
            dropout: DropoutConfig::new(size.dropout).build(device),
            activation: size.activation,
        }
    }

    /// Queries of one sequence look at another.
    ///
    /// # Shapes
    /// - q, output: `[B, Tq, D]`, kv: `[B, Tk, D]`
    pub(super) fn cross(&self, q: Tensor<3>, kv: Tensor<3>) -> Tensor<3> {
        let (normal, kv) = (
            self.attention_norm.forward(q.clone()),
            self.attention_norm.forward(kv),
        );
        let (change, _) = self.attention.forward(normal, kv, None, false);
        self.rest(change, q)
    }

    /// Some tokens of a sequence look at the first ones of it; where they look if that is wanted.
    ///
    /// # Shapes
    /// - looking.x: `[B, T, D]`
    /// - output: `[B, queries, D]`, map: `[B, H, queries, keys]`
    pub(super) fn within(
        &self,
        looking: Looking<'_>,
        want: bool,
    ) -> (Tensor<3>, Option<Tensor<4>>) {
        let Looking {
            x,
            from,
            queries,
            keys,
            positions,
        } = looking;
        let normal = self.attention_norm.forward(x.clone());
        let (q, kv) = (
            normal.clone().narrow(1, from, queries),
            normal.narrow(1, 0, keys),
        );
        let (change, map) = self.attention.forward(q, kv, positions, want);
        (self.rest(change, x.narrow(1, from, queries)), map)
    }

    /// What follows the attention.
    fn rest(&self, change: Tensor<3>, x: Tensor<3>) -> Tensor<3> {
        let x = self.dropout.residual(change, x);
        let normal = self.ffn_norm.forward(x.clone());
        let hidden = self
            .ffn_in
            .forward_activated(normal, self.activation.fused());
        let change = self.ffn_out.forward(self.dropout.forward(hidden));
        self.dropout.residual(change, x)
    }
}

/// Which tokens of `[B, T, D]` look at which.
pub(super) struct Looking<'a> {
    pub(super) x: Tensor<3>,
    /// The first token that looks.
    pub(super) from: usize,
    /// So many look.
    pub(super) queries: usize,
    /// So many, from the first on, are looked at.
    pub(super) keys: usize,
    /// Where tokens have positions; then the first ones look.
    pub(super) positions: Option<Positions<'a>>,
}

impl TabIclActivation {
    fn fused(self) -> LinearActivation {
        match self {
            Self::Gelu => LinearActivation::Gelu,
            Self::Relu => LinearActivation::Relu,
        }
    }
}
