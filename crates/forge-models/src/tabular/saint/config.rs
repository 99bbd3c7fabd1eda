//! The recipe of a SAINT.

use burn::tensor::Device;
use forge_nn::{ForgeError, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::block::BlockSize;
use super::{Saint, SaintEncoder, TwoLayers};
use crate::limits;
use crate::tabular::row_cost;
use crate::{
    Capabilities, ParameterCount, Preset, RowContext, Shrink, Strategy, TabularConfig, TabularSpec,
    TrainingPreset,
};

/// What attends to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SaintAttentionType {
    /// The features of a row: rows stand alone. The paper's SAINT-s.
    Col,
    /// The rows of a batch. The paper's SAINT-i.
    Row,
    /// Features, then rows, in every layer. The paper's SAINT.
    ColRow,
}

/// Form of the reference's denoising heads. They belong to pre-training: the model only has to know
/// which tensors of a checkpoint they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SaintDenoisingHeads {
    /// One for all categorical features and one for all numeric ones.
    Common,
    /// One per feature.
    Sep,
}

/// Makes a [`Saint`].
///
/// The default is what `train.py` of `somepago/saint` at e288e84 makes of its default attention
/// type: `colrow`, 32 wide, 1 layer, 4 heads 16 wide (64 over rows), feed-forward dropout 0.8. It
/// reduces 8 heads and 6 layers to that for attention over rows, and keeps them, with dropout 0.1,
/// for `col`. It sets the width to 8 where there are more than 100 features. The features have to
/// be set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SaintConfig {
    /// Number of codes of each categorical feature, each at least 1.
    pub cat_cardinalities: Vec<usize>,
    /// Number of numeric features; at least one feature of either kind.
    pub n_num_features: usize,
    /// Width of a token, at least 1.
    pub dim: usize,
    /// Number of layers, at least 1.
    pub depth: usize,
    /// Number of heads of every attention, at least 1.
    pub heads: usize,
    /// Width of a head over features, at least 1.
    pub dim_head: usize,
    /// Width of a head over rows, at least 1.
    pub row_dim_head: usize,
    /// Hidden units of the network of a numeric feature, at least 1.
    pub cont_mlp_hidden: usize,
    /// Hidden units of the head, at least 1.
    pub y_mlp_hidden: usize,
    /// Width of the output, at least 1.
    pub y_dim: usize,
    /// Dropout on the attention weights after the softmax, in `[0, 1)`. The reference takes this
    /// number and never applies it; the default is what it does, 0.
    pub attn_dropout: f64,
    /// Dropout inside the feed-forward parts, in `[0, 1)`.
    pub ff_dropout: f64,
    /// What attends to what.
    pub attentiontype: SaintAttentionType,
    /// Which denoising heads a reference checkpoint has.
    pub final_mlp_style: SaintDenoisingHeads,
}

impl Default for SaintConfig {
    fn default() -> Self {
        Self {
            cat_cardinalities: vec![],
            n_num_features: 0,
            dim: 32,
            depth: 1,
            heads: 4,
            dim_head: 16,
            row_dim_head: 64,
            cont_mlp_hidden: 100,
            y_mlp_hidden: 1_000,
            y_dim: 1,
            attn_dropout: 0.0,
            ff_dropout: 0.8,
            attentiontype: SaintAttentionType::ColRow,
            final_mlp_style: SaintDenoisingHeads::Sep,
        }
    }
}

impl SaintConfig {
    /// Number of tokens of a row: CLS and the features.
    #[must_use]
    pub fn n_tokens(&self) -> usize {
        1 + self.cat_cardinalities.len() + self.n_num_features
    }

    /// The block over features, where there is one.
    pub(super) fn feature_block(&self) -> Option<BlockSize> {
        (self.attentiontype != SaintAttentionType::Row).then_some(BlockSize {
            width: self.dim,
            heads: self.heads,
            dim_head: self.dim_head,
        })
    }

    /// The block over rows, where there is one.
    pub(super) fn row_block(&self) -> Option<BlockSize> {
        (self.attentiontype != SaintAttentionType::Col).then(|| BlockSize {
            width: self.n_tokens() * self.dim,
            heads: self.heads,
            dim_head: self.row_dim_head,
        })
    }

    fn head(&self) -> [usize; 3] {
        [self.dim, self.y_mlp_hidden, self.y_dim]
    }
}

impl ModuleConfig for SaintConfig {
    type Module = Saint;

    fn validate(&self) -> Result<(), ForgeError> {
        let columns = ..=*limits::COLUMNS.end();
        check::in_range("n_num_features", self.n_num_features, columns)?;
        for (j, &cardinality) in self.cat_cardinalities.iter().enumerate() {
            let field = format!("cat_cardinalities[{j}]");
            check::in_range(&field, cardinality, limits::COLUMNS)?;
        }
        if self.n_tokens() == 1 {
            let allowed = "at least 1 where cat_cardinalities is empty";
            return Err(ForgeError::config("n_num_features", 0, allowed));
        }
        check::in_range("dim", self.dim, limits::WIDTH)?;
        check::in_range("depth", self.depth, limits::BLOCKS)?;
        check::in_range("heads", self.heads, limits::WIDTH)?;
        for (field, width) in [
            ("dim_head", self.dim_head),
            ("row_dim_head", self.row_dim_head),
            ("cont_mlp_hidden", self.cont_mlp_hidden),
            ("y_mlp_hidden", self.y_mlp_hidden),
        ] {
            check::in_range(field, width, limits::WIDTH)?;
        }
        check::in_range("y_dim", self.y_dim, limits::COLUMNS)?;
        check::probability("attn_dropout", self.attn_dropout)?;
        check::probability("ff_dropout", self.ff_dropout)?;
        let [features, rows] = [self.feature_block(), self.row_block()];
        for block in features.into_iter().chain(rows) {
            let inner = block.heads * block.dim_head;
            check::in_range("heads times width of a head", inner, limits::WIDTH)?;
        }
        match rows {
            Some(block) => check::in_range("dim times tokens", block.width, limits::WIDTH),
            None => Ok(()),
        }
    }

    fn build(&self, device: &Device) -> Saint {
        Saint {
            encoder: SaintEncoder::new(self, device),
            head: TwoLayers::new(self.head(), device),
            capabilities: self.capabilities(),
        }
    }
}

impl ParameterCount for SaintConfig {
    fn parameter_count(&self) -> usize {
        SaintEncoder::parameter_count(self) + TwoLayers::parameter_count(self.head())
    }
}

impl TabularConfig for SaintConfig {
    const NAME: &'static str = "saint";
    const CAPABILITIES: Capabilities = Capabilities {
        categorical: true,
        missing: true,
        rows: RowContext::Neighbours,
        attention_maps: true,
        ..Capabilities::NONE
    };

    /// Rows stand alone where only features attend to each other.
    fn capabilities(&self) -> Capabilities {
        match self.attentiontype {
            SaintAttentionType::Col => Capabilities {
                rows: RowContext::Alone,
                ..Self::CAPABILITIES
            },
            SaintAttentionType::Row | SaintAttentionType::ColRow => Self::CAPABILITIES,
        }
    }

    fn spec(&self) -> TabularSpec {
        TabularSpec {
            n_num_features: self.n_num_features,
            cat_cardinalities: self.cat_cardinalities.clone(),
            d_out: self.y_dim,
        }
    }

    fn sized_for(self, table: &TabularSpec) -> Result<Self, ForgeError> {
        Ok(Self {
            n_num_features: table.n_num_features,
            cat_cardinalities: table.cat_cardinalities.clone(),
            y_dim: table.d_out,
            ..self
        })
    }

    fn context_bytes(&self, batch: usize, context: usize) -> u64 {
        // Of every block: normalised values and residuals, queries, keys, values and mixed heads,
        // hidden units before and after the gate.
        let of = |block: BlockSize| 16 * block.width + 4 * block.heads * block.dim_head;
        let features = self.feature_block().map_or(0, |b| self.n_tokens() * of(b));
        let rows = self.row_block().map_or(0, of);
        // Hidden units of the tokens' networks and of the head.
        let hidden = 2 * (self.n_num_features * self.cont_mlp_hidden + self.y_mlp_hidden);
        let values = row_cost::values(self.depth, features + rows).saturating_add(hidden as u64);
        row_cost::bytes(batch, context, values)
    }

    fn smaller(self, by: Shrink) -> Self {
        Self {
            dim: by.width(self.dim),
            depth: by.depth(self.depth),
            dim_head: by.width(self.dim_head),
            row_dim_head: by.width(self.row_dim_head),
            cont_mlp_hidden: by.width(self.cont_mlp_hidden),
            y_mlp_hidden: by.width(self.y_mlp_hidden),
            ..self
        }
    }

    fn narrow() -> Self {
        Self {
            dim: 8,
            heads: 2,
            dim_head: 3,
            row_dim_head: 5,
            cont_mlp_hidden: 8,
            y_mlp_hidden: 32,
            attn_dropout: 0.05,
            ff_dropout: 0.05,
            ..Self::default()
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        // Dropout of 0.8 is for the reference's width; below it, it costs accuracy.
        let small = |dim, y_mlp_hidden| Self {
            dim,
            y_mlp_hidden,
            ff_dropout: 0.1,
            ..Self::default()
        };
        let library = TrainingPreset {
            learning_rate: 1e-3,
            weight_decay: 1e-2,
            batch_size: Some(256),
            steps: 1.0,
            source: "this library's; batch: train.py of somepago/saint at e288e84",
        };
        let (config, training) = match strategy {
            Strategy::Fast => (small(8, 64), library),
            Strategy::Balanced => (small(16, 256), library),
            Strategy::Accurate => (
                Self::default(),
                TrainingPreset {
                    learning_rate: 1e-4,
                    source: "sizes, batch, rate: train.py of somepago/saint at e288e84; weight \
                             decay: its AdamW's default; steps: this library's",
                    ..library
                },
            ),
        };
        Preset { config, training }
    }
}
