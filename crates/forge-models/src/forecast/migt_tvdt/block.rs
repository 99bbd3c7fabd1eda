//! One layer over time, or over variables.

use burn::module::Module;
use burn::tensor::{Bool, Device, Tensor};
use forge_nn::ops::{AttentionMask, LinearActivation};
use forge_nn::parameters::KeyMap;
use forge_nn::{ForgeError, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use crate::encoder_layer::{EncoderLayer, EncoderLayerConfig};
use crate::limits;

/// Makes a [`MigtBlock`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MigtBlockConfig {
    /// Width of a token, a multiple of `n_heads`.
    pub d_model: usize,
    /// Heads, at least 1.
    pub n_heads: usize,
    /// Width inside the feed-forward part, at least 1.
    pub d_ff: usize,
    /// Dropout on attention weights, hidden layer and what is added, in `[0, 1)`.
    pub dropout: f64,
}

/// `x ← x + Attention(LN(x))`, `x ← x + FeedForward(LN(x))` with GELU: over time for each variable, or over
/// the variables.
#[derive(Module, Debug)]
pub struct MigtBlock {
    layer: EncoderLayer,
}

impl MigtBlockConfig {
    fn layer(&self) -> EncoderLayerConfig {
        EncoderLayerConfig {
            d_model: self.d_model,
            n_heads: self.n_heads,
            d_ff: self.d_ff,
            dropout: self.dropout,
            pre_norm: true,
            activation: LinearActivation::Gelu,
        }
    }

    pub(super) fn parameter_count(&self) -> usize {
        self.layer().parameter_count()
    }

    /// The reference's names.
    #[must_use]
    pub fn key_map(&self, map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
        let ours = format!("{ours}layer");
        let projections = |kind: &str| {
            ["q", "k", "v"].map(|part| (format!("{theirs}{part}_proj.{kind}"), self.d_model))
        };
        map.stacked_transposed(
            &format!("{ours}.attention.in_proj.weight"),
            projections("weight"),
        )
        .stacked(
            &format!("{ours}.attention.in_proj.bias"),
            projections("bias"),
        )
        .linear(
            &format!("{ours}.attention.out_proj"),
            &format!("{theirs}out_proj"),
        )
        .linear(&format!("{ours}.ffn_in"), &format!("{theirs}ff.0"))
        .linear(&format!("{ours}.ffn_out"), &format!("{theirs}ff.3"))
        .norm(&format!("{ours}.attention_norm"), &format!("{theirs}norm1"))
        .norm(&format!("{ours}.ffn_norm"), &format!("{theirs}norm2"))
    }
}

impl ModuleConfig for MigtBlockConfig {
    type Module = MigtBlock;

    fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("d_model", self.d_model, limits::WIDTH)?;
        check::in_range("n_heads", self.n_heads, limits::WIDTH)?;
        check::divides("n_heads", self.n_heads, "d_model", self.d_model)?;
        check::in_range("d_ff", self.d_ff, limits::WIDTH)?;
        check::probability("dropout", self.dropout)
    }

    fn build(&self, device: &Device) -> MigtBlock {
        MigtBlock {
            layer: self.layer().build(device),
        }
    }
}

impl MigtBlock {
    /// The tokens, and their weights on each other where they are wanted. Tokens that are not valid
    /// are asked by none; they ask as the others do.
    ///
    /// # Shapes
    /// - x and output: `[B, T, D]`, valid: `[B, T]`
    /// - weights: `[B, H, T, T]`
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[must_use]
    pub fn forward(
        &self,
        x: Tensor<3>,
        valid: Option<Tensor<2, Bool>>,
        want: bool,
    ) -> (Tensor<3>, Option<Tensor<4>>) {
        let mask = valid.map_or_else(AttentionMask::none, AttentionMask::key_valid);
        self.layer.forward(x, mask, want)
    }
}
