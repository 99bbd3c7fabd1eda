//! The recipe of an FT-Transformer.

use burn::tensor::Device;
use forge_nn::num_embeddings::NumEmbeddings;
use forge_nn::{ForgeError, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::{FfnActivation, FtTransformer, FtTransformerBackbone};
use crate::limits;
use crate::reference::{KeyMap, ReferenceWeights};
use crate::tabular::token::{TokenColumns, column_fields};
use crate::tabular::{TokenHead, TokenModel};
use crate::{
    Capabilities, ParameterCount, Preset, Shrink, Strategy, TabularConfig, TabularSpec,
    TrainingPreset, TrainingRows,
};

/// The factor of `d_block` where neither hidden width nor factor is given.
const MULTIPLIER: f64 = 4.0 / 3.0;

/// Makes an [`FtTransformer`].
///
/// The default is the paper's (arXiv 2106.11959 v5, table 13) and the package's
/// `get_default_kwargs()`: 3 blocks, 192 wide, 8 heads, ReGLU with a factor of 4/3, dropouts 0.2,
/// 0.1 and 0. The features have to be set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FtTransformerConfig {
    /// Number of numeric features; at least one feature of either kind.
    pub n_num_features: usize,
    /// Number of codes of each categorical feature, each at least 1.
    pub cat_cardinalities: Vec<usize>,
    /// Width of the output, at least 1.
    pub d_out: usize,
    /// Number of blocks, at least 1.
    pub n_blocks: usize,
    /// Width of a token, a multiple of `attention_n_heads`.
    pub d_block: usize,
    /// Number of attention heads, at least 1.
    pub attention_n_heads: usize,
    /// Dropout on the attention weights after the softmax, in `[0, 1)`.
    pub attention_dropout: f64,
    /// Width inside the feed-forward part (after the gate), or null for `ffn_d_hidden_multiplier`.
    #[serde(default)]
    pub ffn_d_hidden: Option<usize>,
    /// The same as a factor of `d_block`, the product truncated; null where `ffn_d_hidden` is set.
    /// A file that sets neither gets a factor of 4/3.
    #[serde(default)]
    pub ffn_d_hidden_multiplier: Option<f64>,
    /// Dropout inside the feed-forward part, in `[0, 1)`.
    pub ffn_dropout: f64,
    /// Activation of the feed-forward part.
    pub ffn_activation: FfnActivation,
    /// Dropout on what a block adds, in `[0, 1)`.
    pub residual_dropout: f64,
    /// Always null: the package's Linformer option is not implemented.
    pub linformer_kv_compression_ratio: Option<f64>,
    /// How numbers become tokens; absent: as `x_j w_j + b_j`. Its `d_embedding` is absent or the
    /// width of a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_embeddings: Option<NumEmbeddings>,
}

impl Default for FtTransformerConfig {
    fn default() -> Self {
        Self {
            n_num_features: 0,
            cat_cardinalities: vec![],
            d_out: 1,
            n_blocks: 3,
            d_block: 192,
            attention_n_heads: 8,
            attention_dropout: 0.2,
            ffn_d_hidden: None,
            ffn_d_hidden_multiplier: Some(MULTIPLIER),
            ffn_dropout: 0.1,
            ffn_activation: FfnActivation::ReGLU,
            residual_dropout: 0.0,
            linformer_kv_compression_ratio: None,
            num_embeddings: None,
        }
    }
}

impl FtTransformerConfig {
    /// The width inside the feed-forward part.
    #[must_use]
    pub fn ffn_hidden_width(&self) -> usize {
        let (width, factor) = (self.ffn_d_hidden, self.ffn_d_hidden_multiplier);
        limits::hidden_width(width, factor, self.d_block, MULTIPLIER)
    }

    fn columns(&self) -> TokenColumns<'_> {
        column_fields!(self, self.d_block)
    }
}

impl ModuleConfig for FtTransformerConfig {
    type Module = FtTransformer;

    fn validate(&self) -> Result<(), ForgeError> {
        let (width, factor) = (self.ffn_d_hidden, self.ffn_d_hidden_multiplier);
        check::in_range("d_block", self.d_block, limits::WIDTH)?;
        self.columns().validate()?;
        check::in_range("n_blocks", self.n_blocks, limits::BLOCKS)?;
        check::in_range("attention_n_heads", self.attention_n_heads, limits::WIDTH)?;
        check::divides(
            "attention_n_heads",
            self.attention_n_heads,
            "d_block",
            self.d_block,
        )?;
        check::probability("attention_dropout", self.attention_dropout)?;
        limits::check_hidden_width("ffn_d_hidden", width, factor, self.d_block)?;
        check::probability("ffn_dropout", self.ffn_dropout)?;
        check::probability("residual_dropout", self.residual_dropout)?;
        match self.linformer_kv_compression_ratio {
            None => Ok(()),
            Some(ratio) => {
                let field = "linformer_kv_compression_ratio";
                Err(ForgeError::config(
                    field,
                    ratio,
                    "null (Linformer is not implemented)",
                ))
            }
        }
    }

    fn build(&self, device: &Device) -> FtTransformer {
        TokenModel::new(
            Self::NAME,
            self.columns().tokenizer().build(device),
            FtTransformerBackbone::new(self, device),
            TokenHead::new(self.d_block, self.d_out, device),
        )
    }
}

impl TabularConfig for FtTransformerConfig {
    const NAME: &'static str = "ft_transformer";
    const CAPABILITIES: Capabilities = FtTransformer::CAPABILITIES;

    fn spec(&self) -> TabularSpec {
        self.columns().spec()
    }

    fn sized_for(self, table: &TabularSpec) -> Result<Self, ForgeError> {
        Ok(Self {
            n_num_features: table.n_num_features,
            cat_cardinalities: table.cat_cardinalities.clone(),
            d_out: table.d_out,
            ..self
        })
    }

    fn smaller(self, by: Shrink) -> Self {
        let d_block = by.width_of(self.d_block, self.attention_n_heads);
        Self {
            n_blocks: by.depth(self.n_blocks),
            d_block,
            num_embeddings: self.columns().numbers().smaller_tokens(by, d_block),
            ffn_d_hidden: self.ffn_d_hidden.map(|width| by.width(width)),
            ..self
        }
    }

    fn fitted_to(self, rows: &TrainingRows<'_>) -> Result<Self, ForgeError> {
        Ok(Self {
            num_embeddings: self.columns().numbers().fitted_to(rows)?,
            ..self
        })
    }

    fn narrow() -> Self {
        Self {
            n_blocks: 2,
            d_block: 16,
            attention_n_heads: 2,
            attention_dropout: 0.1,
            residual_dropout: 0.05,
            ..Self::default()
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        let default = Self::default();
        // Dropout is for tables with more noise than rows; below the paper's size it costs accuracy.
        let small = |d_block, heads| Self {
            n_blocks: 2,
            d_block,
            attention_n_heads: heads,
            attention_dropout: 0.0,
            ffn_dropout: 0.0,
            ..Self::default()
        };
        let (config, source) = match strategy {
            Strategy::Fast => (small(32, 4), "this library's"),
            Strategy::Balanced => (small(64, 8), "this library's"),
            Strategy::Accurate => (
                default,
                "size: table 13 of arXiv 2106.11959 v5; training: this library's",
            ),
        };
        Preset {
            config,
            training: TrainingPreset {
                learning_rate: 1e-3,
                weight_decay: 1e-5,
                batch_size: None,
                steps: 1.0,
                source,
            },
        }
    }
}

impl ReferenceWeights for FtTransformerConfig {
    const REFERENCE: &'static str = "rtdl_revisiting_models==0.0.2:FTTransformer";

    fn key_map(&self) -> KeyMap {
        let map = self.columns().key_map(KeyMap::new());
        (0..self.n_blocks).fold(map, |map, i| self.block_key_map(map, i))
    }
}

impl ParameterCount for FtTransformerConfig {
    fn parameter_count(&self) -> usize {
        let (width, hidden) = (self.d_block, self.ffn_hidden_width());
        let projections = if self.attention_n_heads > 1 { 4 } else { 3 };
        let inner = self.ffn_activation.input_width(hidden);
        let block = projections * (width + 1) * width
            + (width + 1) * inner
            + (hidden + 1) * width
            + 2 * 2 * width;
        // The first block lacks one norm.
        self.columns().parameter_count() + self.n_blocks * block - 2 * width
    }
}

impl FtTransformerConfig {
    fn block_key_map(&self, map: KeyMap, i: usize) -> KeyMap {
        let (ours, theirs) = (
            format!("backbone.blocks.{i}"),
            format!("backbone.blocks.{i}"),
        );
        let projections = |kind: &'static str| {
            let theirs = theirs.clone();
            ["q", "k", "v"].map(|p| (format!("{theirs}.attention.W_{p}.{kind}"), self.d_block))
        };
        let mut map = map
            .stacked_transposed(
                &format!("{ours}.attention.in_proj.weight"),
                projections("weight"),
            )
            .stacked(
                &format!("{ours}.attention.in_proj.bias"),
                projections("bias"),
            )
            .norm(
                &format!("{ours}.ffn_norm"),
                &format!("{theirs}.ffn_normalization"),
            )
            .linear(
                &format!("{ours}.ffn.linear1"),
                &format!("{theirs}.ffn.linear1"),
            )
            .linear(
                &format!("{ours}.ffn.linear2"),
                &format!("{theirs}.ffn.linear2"),
            );
        if self.attention_n_heads > 1 {
            let output = format!("{ours}.attention.out_proj");
            map = map.linear(&output, &format!("{theirs}.attention.W_out"));
        }
        if i > 0 {
            let norm = format!("{ours}.attention_norm");
            map = map.norm(&norm, &format!("{theirs}.attention_normalization"));
        }
        map
    }
}
