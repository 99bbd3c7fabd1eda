//! The recipe of a TabR.

use burn::tensor::Device;
use forge_nn::norm::LayerNormConfig;
use forge_nn::{ForgeError, LinearConfig, ModuleConfig, check};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{TabR, TabRBlock, TabRRetrieval};
use crate::limits;
use crate::reference::{KeyMap, ReferenceWeights};
use crate::tabular::embedded_columns::{Columns, PlrConfig};
use crate::{
    Capabilities, LabelledRows, Labels, ParameterCount, Preset, Recipe, RowContext, Shrink,
    Strategy, TabularConfig, TabularSpec, TargetKind, TrainingContext, TrainingPreset,
};

/// Whether rows are normalised before their keys: `"auto"`, true or false.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MixerNormalization {
    /// By a rule.
    ByRule(MixerRule),
    /// Always or never.
    Given(bool),
}

/// When rows are normalised before their keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MixerRule {
    /// Where the encoder has blocks.
    Auto,
}

/// The norm of blocks, keys and head; always layer normalisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TabRNormalization {
    /// Layer normalisation.
    LayerNorm,
}

/// The activation of blocks, values and head; always `max(x, 0)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TabRActivation {
    /// `max(x, 0)`.
    ReLU,
}

/// Makes a [`TabR`].
///
/// The default is the authors' "TabR-S" with default hyperparameters: no embeddings, a linear
/// encoder, 265 wide, 96 neighbours. `n_num_features` has to be set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TabRConfig {
    /// Number of numeric columns, which are embedded where there are embeddings; 0 only beside
    /// others.
    pub n_num_features: usize,
    /// Numeric columns after them that are taken as they are: one-hot columns made elsewhere.
    pub n_cat_features: usize,
    /// Width of the output, at least 1: one for numbers, else the classes, unless `labels` says.
    pub n_classes: usize,
    /// Periodic embeddings of the numbers, or null.
    pub num_embeddings: Option<PlrConfig>,
    /// Width of rows and keys, at least 1.
    pub d_main: usize,
    /// Hidden units of blocks and values as a factor of `d_main`, the product truncated; above 0.
    pub d_multiplier: f64,
    /// Blocks before the retrieval; may be 0.
    pub encoder_n_blocks: usize,
    /// Blocks after it; at least 1 where the encoder has none.
    pub predictor_n_blocks: usize,
    /// Whether rows are normalised before their keys.
    pub mixer_normalization: MixerNormalization,
    /// Dropout of the weights of the context, in `[0, 1)`.
    pub context_dropout: f64,
    /// Dropout of hidden units, in `[0, 1)`.
    pub dropout0: f64,
    /// Dropout of a block's output, in `[0, 1)`.
    pub dropout1: f64,
    /// Always `LayerNorm`.
    pub normalization: TabRNormalization,
    /// Always `ReLU`.
    pub activation: TabRActivation,
    /// Nearest candidates that a row looks at, at least 1; all where there are fewer.
    pub context_size: usize,
    /// Number of codes of each categorical column, which become one-hot columns. Default none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cat_cardinalities: Vec<usize>,
    /// What the labels are where `n_classes` does not say: several numbers, two classes with one
    /// output, numbers with several outputs each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Labels>,
}

impl Default for TabRConfig {
    fn default() -> Self {
        Self {
            n_num_features: 0,
            n_cat_features: 0,
            n_classes: 1,
            num_embeddings: None,
            d_main: 265,
            d_multiplier: 2.0,
            encoder_n_blocks: 0,
            predictor_n_blocks: 1,
            mixer_normalization: MixerNormalization::ByRule(MixerRule::Auto),
            context_dropout: 0.389_200_715_459_443_57,
            dropout0: 0.388_527_974_791_698_76,
            dropout1: 0.0,
            normalization: TabRNormalization::LayerNorm,
            activation: TabRActivation::ReLU,
            context_size: 96,
            cat_cardinalities: vec![],
            labels: None,
        }
    }
}

impl TabRConfig {
    fn columns(&self) -> Columns<'_> {
        Columns {
            n_num: self.n_num_features,
            n_raw: self.n_cat_features,
            cat_cardinalities: &self.cat_cardinalities,
            num_embeddings: self.num_embeddings,
        }
    }

    pub(super) fn of_labels(&self) -> Labels {
        self.labels.unwrap_or(Labels::of_width(self.n_classes))
    }

    /// Hidden units of blocks and values.
    #[must_use]
    pub fn block_width(&self) -> usize {
        limits::hidden_width(
            None,
            Some(self.d_multiplier),
            self.d_main,
            self.d_multiplier,
        )
    }

    /// Whether rows are normalised before their keys.
    #[must_use]
    pub fn normalises_keys(&self) -> bool {
        match self.mixer_normalization {
            MixerNormalization::ByRule(MixerRule::Auto) => self.encoder_n_blocks > 0,
            MixerNormalization::Given(normalises) => normalises,
        }
    }
}

impl ModuleConfig for TabRConfig {
    type Module = TabR;

    fn validate(&self) -> Result<(), ForgeError> {
        let (numbers, others) = (self.n_num_features, self.n_cat_features);
        check::in_range("n_num_features", numbers, 0..=*limits::COLUMNS.end())?;
        check::in_range("n_cat_features", others, 0..=*limits::COLUMNS.end())?;
        if numbers + others + self.cat_cardinalities.len() == 0 {
            let allowed = "at least 1 where n_cat_features is 0 and there are no cat_cardinalities";
            return Err(ForgeError::config("n_num_features", 0, allowed));
        }
        check::in_range("n_classes", self.n_classes, limits::COLUMNS)?;
        self.columns().validate()?;
        check::in_range("d_main", self.d_main, limits::WIDTH)?;
        let factor = Some(self.d_multiplier);
        limits::check_hidden_width("d", None, factor, self.d_main)?;
        let blocks = 0..=*limits::BLOCKS.end();
        check::in_range("encoder_n_blocks", self.encoder_n_blocks, blocks.clone())?;
        check::in_range("predictor_n_blocks", self.predictor_n_blocks, blocks)?;
        if self.encoder_n_blocks + self.predictor_n_blocks == 0 {
            let allowed = "at least 1 where encoder_n_blocks is 0";
            return Err(ForgeError::config("predictor_n_blocks", 0, allowed));
        }
        check::probability("context_dropout", self.context_dropout)?;
        check::probability("dropout0", self.dropout0)?;
        check::probability("dropout1", self.dropout1)?;
        check::in_range("context_size", self.context_size, limits::WIDTH)?;
        self.of_labels().validate()
    }

    fn build(&self, device: &Device) -> TabR {
        let (columns, width) = (self.columns(), self.d_main);
        TabR {
            columns: columns.build(device),
            linear: LinearConfig::new(columns.width(), width).build(device),
            encoder: (0..self.encoder_n_blocks)
                .map(|i| TabRBlock::new(self, i > 0, device))
                .collect(),
            retrieval: TabRRetrieval::new(self, device),
            predictor: (0..self.predictor_n_blocks)
                .map(|_| TabRBlock::new(self, true, device))
                .collect(),
            head_norm: LayerNormConfig::new(width).build(device),
            head: LinearConfig::new(width, self.n_classes).build(device),
            context_size: self.context_size,
            labels: self.of_labels(),
        }
    }
}

impl ParameterCount for TabRConfig {
    fn parameter_count(&self) -> usize {
        let (columns, width, hidden) = (self.columns(), self.d_main, self.block_width());
        let two = (width + 1) * hidden + (hidden + 1) * width;
        let norm = 2 * width;
        let encoder = self.encoder_n_blocks * (two + norm) - norm * self.encoder_n_blocks.min(1);
        let predictor = self.predictor_n_blocks * (two + norm);
        let labels = match self.of_labels() {
            Labels::Numbers(columns) => (columns + 1) * width,
            Labels::Classes(classes) => classes * width,
        };
        let mixer = if self.normalises_keys() { norm } else { 0 };
        let values = (width + 1) * hidden + hidden * width;
        let retrieval = mixer + (width + 1) * width + labels + values;
        let ends = (columns.width() + 1) * width + norm + (width + 1) * self.n_classes;
        columns.parameter_count() + encoder + retrieval + predictor + ends
    }
}

impl TabularConfig for TabRConfig {
    const NAME: &'static str = "tabr";
    const CAPABILITIES: Capabilities = Capabilities {
        categorical: true,
        rows: RowContext::Labelled,
        ..Capabilities::NONE
    };

    fn spec(&self) -> TabularSpec {
        self.columns().spec(self.n_classes)
    }

    fn sized_for(self, table: &TabularSpec) -> Result<Self, ForgeError> {
        Ok(Self {
            n_num_features: table.n_num_features,
            n_cat_features: 0,
            n_classes: table.d_out,
            cat_cardinalities: table.cat_cardinalities.clone(),
            labels: None,
            ..self
        })
    }

    fn labels(&self) -> Option<Labels> {
        Some(self.of_labels())
    }

    fn with_labels(self, labels: Labels) -> Result<Self, ForgeError> {
        let stated = labels != Labels::of_width(self.n_classes);
        Ok(Self {
            labels: stated.then_some(labels),
            ..self
        })
    }

    fn labelled_rows(&self) -> LabelledRows {
        LabelledRows {
            most: usize::MAX,
            training: TrainingContext::OtherRows { fraction: 1.0 },
        }
    }

    /// A key per row; of those that are found, at most `context_size` for each row of the batch, the
    /// values of the encoder and of the retrieval.
    fn context_bytes(&self, batch: usize, context: usize) -> u64 {
        let (width, hidden) = (self.d_main as u64, self.block_width() as u64);
        let (batch, context) = (batch as u64, context as u64);
        let pairs = batch.saturating_mul(context.min(self.context_size as u64));
        let of_pair = 2 * (width + hidden);
        let encoder = self.columns().kept_values() as u64 + 2 * width;
        let encoder = encoder + self.encoder_n_blocks as u64 * (of_pair + 2 * width);
        let values = context
            .saturating_mul(width + self.columns().width() as u64)
            .saturating_add(pairs.min(context).saturating_mul(encoder))
            .saturating_add(pairs.saturating_mul(of_pair));
        values.saturating_mul(4)
    }

    fn smaller(self, by: Shrink) -> Self {
        Self {
            d_main: by.width(self.d_main),
            encoder_n_blocks: by.depth(self.encoder_n_blocks),
            predictor_n_blocks: by.depth(self.predictor_n_blocks),
            num_embeddings: self.num_embeddings.map(|embeddings| embeddings.smaller(by)),
            ..self
        }
    }

    fn narrow() -> Self {
        Self {
            num_embeddings: Some(PlrConfig {
                n_frequencies: 5,
                frequency_scale: 0.2,
                d_embedding: 3,
                lite: false,
            }),
            d_main: 16,
            encoder_n_blocks: 2,
            context_dropout: 0.05,
            dropout0: 0.05,
            dropout1: 0.05,
            context_size: 7,
            ..Self::default()
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        let small = |d_main, context_size, n_frequencies, d_embedding| Self {
            d_main,
            context_size,
            num_embeddings: Some(PlrConfig {
                n_frequencies,
                frequency_scale: 0.05,
                d_embedding,
                lite: true,
            }),
            context_dropout: 0.2,
            dropout0: 0.2,
            ..Self::default()
        };
        let library = TrainingPreset {
            learning_rate: 1e-3,
            weight_decay: 1e-6,
            batch_size: None,
            steps: 1.0,
            source: "this library's: the structure of TabR with lite periodic embeddings, narrower",
        };
        let (config, training) = match strategy {
            Strategy::Fast => (small(48, 24, 12, 6), library),
            Strategy::Balanced => (small(96, 48, 24, 12), library),
            Strategy::Accurate => (
                Self::default(),
                TrainingPreset {
                    learning_rate: 0.000_312_127_364_131_516_9,
                    weight_decay: 1.226_035_200_640_461_5e-6,
                    source: "sizes, rate, decay: the authors' default TabR-S (arXiv 2307.14338); \
                             batches and steps: this library's",
                    ..library
                },
            ),
        };
        Preset { config, training }
    }

    /// Label vectors do not decay, as with the authors.
    fn recipe(strategy: Strategy, _: TargetKind) -> Recipe {
        let optimizer = json!({
            "name": "adam_w",
            "weight_decay": Self::preset(strategy).training.weight_decay,
            "groups": [{"match": ["retrieval.labels"], "decay": 0.0}],
        });
        Recipe::new(json!({"optimizer": optimizer}), Value::Null)
    }
}

impl ReferenceWeights for TabRConfig {
    const REFERENCE: &'static str = "LAMDA-Tabular/TALENT@c9d24c8:TALENT/model/models/tabr.py:TabR";

    fn key_map(&self) -> KeyMap {
        let block = |map: KeyMap, ours: String, theirs: String, norm: bool| {
            let (map, first) = match norm {
                true => (map.norm(&format!("{ours}.norm"), &format!("{theirs}.0")), 1),
                false => (map, 0),
            };
            let (linear1, linear2) = (format!("{ours}.linear1"), format!("{ours}.linear2"));
            map.linear(&linear1, &format!("{theirs}.{first}"))
                .linear(&linear2, &format!("{theirs}.{}", first + 3))
        };
        let map = self.columns().key_map().linear("linear", "linear");
        let map = (0..self.encoder_n_blocks).fold(map, |map, i| {
            block(map, format!("encoder.{i}"), format!("blocks0.{i}"), i > 0)
        });
        let map = (0..self.predictor_n_blocks).fold(map, |map, i| {
            block(map, format!("predictor.{i}"), format!("blocks1.{i}"), true)
        });
        let map = match self.normalises_keys() {
            true => map.norm("retrieval.norm", "normalization"),
            false => map,
        };
        let map = match self.of_labels() {
            Labels::Numbers(_) => map.linear("retrieval.labels", "label_encoder"),
            Labels::Classes(_) => map.same("retrieval.labels.weight", "label_encoder.0.weight"),
        };
        map.linear("retrieval.key", "K")
            .linear("retrieval.linear1", "T.0")
            .transposed("retrieval.linear2.weight", "T.3.weight")
            .norm("head_norm", "head.0")
            .linear("head", "head.2")
    }
}
