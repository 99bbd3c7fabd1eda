//! The recipe of a ModernNCA.

use burn::tensor::Device;
use forge_nn::norm::BatchNormConfig;
use forge_nn::regularisation::DropoutConfig;
use forge_nn::{ForgeError, LinearConfig, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::{ModernNca, ModernNcaBlock};
use crate::limits;
use crate::reference::{KeyMap, ReferenceWeights};
use crate::tabular::embedded_columns::{Columns, PlrConfig};
use crate::{
    Capabilities, LabelledRows, Labels, ParameterCount, Preset, RowContext, Shrink, Strategy,
    TabularConfig, TabularSpec, TrainingContext, TrainingPreset,
};

/// Part of the training rows outside the batch that a step looks at.
const SAMPLE_RATE: f64 = 0.5;

/// Makes a [`ModernNca`].
///
/// The default is that of the authors' toolbox (`configs/default/modernNCA.json` of
/// `LAMDA-Tabular/TALENT`): no blocks, 128 dimensions, periodic embeddings. `d_in` and `d_num` have
/// to be set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModernNcaConfig {
    /// Number of numeric columns; 0 only beside categories.
    pub d_in: usize,
    /// The first so many of them are embedded, where there are embeddings; the others, one-hot
    /// columns made elsewhere, are taken as they are. At most `d_in`.
    pub d_num: usize,
    /// Width of the output, at least 1: one for numbers, else the classes, unless `labels` says.
    pub d_out: usize,
    /// Dimensions of the space of distances, at least 1.
    pub dim: usize,
    /// Hidden units of a block, at least 1.
    pub d_block: usize,
    /// Number of blocks; may be 0.
    pub n_blocks: usize,
    /// Dropout inside a block, in `[0, 1)`.
    pub dropout: f64,
    /// What distances are divided by, above 0.
    pub temperature: f64,
    /// Periodic embeddings of the numbers, or null.
    pub num_embeddings: Option<PlrConfig>,
    /// Part of the training rows outside the batch that a step looks at, in `(0, 1]`, drawn anew at
    /// each step. Default 0.5. Predictions look at all.
    #[serde(skip_serializing_if = "is_default_rate")]
    pub sample_rate: f64,
    /// Number of codes of each categorical column, which become one-hot columns. Default none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cat_cardinalities: Vec<usize>,
    /// What the labels are where `d_out` does not say: several numbers, or two classes with one
    /// output (the log odds).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Labels>,
}

fn is_default_rate(rate: &f64) -> bool {
    *rate == SAMPLE_RATE
}

impl Default for ModernNcaConfig {
    fn default() -> Self {
        Self {
            d_in: 0,
            d_num: 0,
            d_out: 1,
            dim: 128,
            d_block: 512,
            n_blocks: 0,
            dropout: 0.1,
            temperature: 1.0,
            num_embeddings: Some(PlrConfig {
                n_frequencies: 77,
                frequency_scale: 0.044_313_605_761_395_21,
                d_embedding: 34,
                lite: true,
            }),
            sample_rate: SAMPLE_RATE,
            cat_cardinalities: vec![],
            labels: None,
        }
    }
}

impl ModernNcaConfig {
    fn columns(&self) -> Columns<'_> {
        Columns {
            n_num: self.d_num,
            n_raw: self.d_in.saturating_sub(self.d_num),
            cat_cardinalities: &self.cat_cardinalities,
            num_embeddings: self.num_embeddings,
        }
    }

    fn of_labels(&self) -> Labels {
        self.labels.unwrap_or(Labels::of_width(self.d_out))
    }

    /// Whether a mean of labels can be an output of this width.
    fn check_labels(&self) -> Result<(), ForgeError> {
        let labels = self.of_labels();
        let fits = match labels {
            Labels::Numbers(n) => self.d_out == n,
            Labels::Classes(n) => self.d_out == n || (n == 2 && self.d_out == 1),
        };
        if fits {
            return Ok(());
        }
        Err(ForgeError::unsupported(format!(
            "modern_nca averages labels ({labels:?}): it has no {} outputs for quantiles or the \
             parameters of a distribution",
            self.d_out
        )))
    }
}

impl ModuleConfig for ModernNcaConfig {
    type Module = ModernNca;

    fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("d_in", self.d_in, 0..=*limits::COLUMNS.end())?;
        if self.d_in + self.cat_cardinalities.len() == 0 {
            let allowed = "at least 1 (of which d_num are embedded) without cat_cardinalities";
            return Err(ForgeError::config("d_in", 0, allowed));
        }
        check::in_range("d_num", self.d_num, 0..=self.d_in)?;
        check::in_range("d_out", self.d_out, limits::COLUMNS)?;
        check::in_range("dim", self.dim, limits::WIDTH)?;
        check::in_range("d_block", self.d_block, limits::WIDTH)?;
        check::in_range("n_blocks", self.n_blocks, 0..=*limits::BLOCKS.end())?;
        check::probability("dropout", self.dropout)?;
        check::positive("temperature", self.temperature)?;
        self.columns().validate()?;
        if !(self.sample_rate > 0.0 && self.sample_rate <= 1.0) {
            let allowed = "above 0 and at most 1";
            return Err(ForgeError::config("sample_rate", self.sample_rate, allowed));
        }
        self.of_labels().validate()?;
        self.check_labels()
    }

    fn build(&self, device: &Device) -> ModernNca {
        let (dim, hidden) = (self.dim, self.d_block);
        let norm = || BatchNormConfig::new(dim).build(device);
        let block = |_| ModernNcaBlock {
            norm: norm(),
            linear1: LinearConfig::new(dim, hidden).build(device),
            dropout: DropoutConfig::new(self.dropout).build(device),
            linear2: LinearConfig::new(hidden, dim).build(device),
        };
        let columns = self.columns();
        ModernNca {
            encoder: LinearConfig::new(columns.width(), dim).build(device),
            columns: columns.build(device),
            blocks: (0..self.n_blocks).map(block).collect(),
            norm: (self.n_blocks > 0).then(norm),
            d_out: self.d_out,
            temperature: self.temperature,
            labels: self.of_labels(),
        }
    }
}

impl ParameterCount for ModernNcaConfig {
    fn parameter_count(&self) -> usize {
        let (columns, dim, hidden) = (self.columns(), self.dim, self.d_block);
        let encoder = (columns.width() + 1) * dim;
        let block = 2 * dim + (dim + 1) * hidden + (hidden + 1) * dim;
        let norm = if self.n_blocks > 0 { 2 * dim } else { 0 };
        columns.parameter_count() + encoder + self.n_blocks * block + norm
    }
}

impl TabularConfig for ModernNcaConfig {
    const NAME: &'static str = "modern_nca";
    const CAPABILITIES: Capabilities = Capabilities {
        categorical: true,
        rows: RowContext::Labelled,
        batch_statistics: true,
        ..Capabilities::NONE
    };

    fn spec(&self) -> TabularSpec {
        self.columns().spec(self.d_out)
    }

    fn sized_for(self, table: &TabularSpec) -> Result<Self, ForgeError> {
        Ok(Self {
            d_in: table.n_num_features,
            d_num: table.n_num_features,
            d_out: table.d_out,
            cat_cardinalities: table.cat_cardinalities.clone(),
            labels: None,
            ..self
        })
    }

    fn labels(&self) -> Option<Labels> {
        Some(self.of_labels())
    }

    fn with_labels(self, labels: Labels) -> Result<Self, ForgeError> {
        let stated = labels != Labels::of_width(self.d_out);
        let config = Self {
            labels: stated.then_some(labels),
            ..self
        };
        config.check_labels()?;
        Ok(config)
    }

    fn labelled_rows(&self) -> LabelledRows {
        LabelledRows {
            most: usize::MAX,
            training: TrainingContext::OtherRows {
                fraction: self.sample_rate,
            },
        }
    }

    /// Per row the values of embeddings, blocks and key; per pair four steps from the squared
    /// distance to the weight.
    fn context_bytes(&self, batch: usize, context: usize) -> u64 {
        let block = 6 * self.dim + 3 * self.d_block;
        let row = self.columns().kept_values() + 4 * self.dim + self.n_blocks * block;
        let (batch, context) = (batch as u64, context as u64);
        let pairs = batch.saturating_mul(batch.saturating_add(context));
        let rows = (row as u64).saturating_mul(context);
        rows.saturating_add(pairs.saturating_mul(4))
            .saturating_mul(4)
    }

    fn smaller(self, by: Shrink) -> Self {
        Self {
            dim: by.width(self.dim),
            d_block: by.width(self.d_block),
            n_blocks: by.depth(self.n_blocks),
            num_embeddings: self.num_embeddings.map(|embeddings| embeddings.smaller(by)),
            ..self
        }
    }

    fn narrow() -> Self {
        Self {
            dim: 8,
            d_block: 16,
            n_blocks: 1,
            dropout: 0.1,
            num_embeddings: Some(PlrConfig {
                n_frequencies: 6,
                frequency_scale: 0.2,
                d_embedding: 4,
                lite: true,
            }),
            ..Self::default()
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        let small = |dim, n_frequencies, d_embedding| Self {
            dim,
            num_embeddings: Self::default().num_embeddings.map(|plr| PlrConfig {
                n_frequencies,
                d_embedding,
                ..plr
            }),
            ..Self::default()
        };
        let library = TrainingPreset {
            learning_rate: 1e-2,
            weight_decay: 2e-4,
            batch_size: None,
            steps: 1.0,
            source: "rate, decay and structure: TALENT's default of ModernNCA; narrower, and \
                     batches and steps this library's",
        };
        let (config, training) = match strategy {
            Strategy::Fast => (small(32, 16, 8), library),
            Strategy::Balanced => (small(64, 48, 16), library),
            Strategy::Accurate => (
                Self::default(),
                TrainingPreset {
                    batch_size: Some(1_024),
                    source: "sizes, rate, decay: TALENT's default of ModernNCA \
                             (configs/default/modernNCA.json), its batches of 1024; steps: this \
                             library's",
                    ..library
                },
            ),
        };
        Preset { config, training }
    }
}

impl ReferenceWeights for ModernNcaConfig {
    const REFERENCE: &'static str =
        "LAMDA-Tabular/TALENT@c9d24c8:TALENT/model/models/modernNCA.py:ModernNCA";

    fn key_map(&self) -> KeyMap {
        let map = self.columns().key_map().linear("encoder", "encoder");
        let map = (0..self.n_blocks).fold(map, |map, i| {
            let (ours, theirs) = (format!("blocks.{i}"), format!("post_encoder.{i}.block"));
            map.batch_norm(&format!("{ours}.norm"), &format!("{theirs}.0"))
                .linear(&format!("{ours}.linear1"), &format!("{theirs}.1"))
                .linear(&format!("{ours}.linear2"), &format!("{theirs}.4"))
        });
        match self.n_blocks {
            0 => map,
            n => map.batch_norm("norm", &format!("post_encoder.{n}")),
        }
    }
}
