//! The recipe of a TabPFN v2.

use burn::tensor::Device;
use forge_nn::{ForgeError, LinearConfig, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::model::layer_values;
use super::{TabPfnV2, TabPfnV2Layer};
use crate::contract::numeric_only;
use crate::limits;
use crate::tabular::one_target::check_one_label;
use crate::tabular::row_cost;
use crate::{
    Capabilities, LabelledRows, Labels, ParameterCount, Preset, RowContext, Shrink, Strategy,
    TabularConfig, TabularSpec, TrainingPreset,
};

/// Rows that the authors' estimators take.
const ROWS: usize = 10_000;
/// Columns that they take.
const COLUMNS: usize = 500;

/// Makes a [`TabPfnV2`].
///
/// The default is the released classifier (`tabpfn` 2.0.9): 12 layers 192 wide with 6 heads, features
/// in pairs, ten classes. The number of columns has to be set; no weight depends on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TabPfnV2Config {
    /// Number of numeric features, at least 1.
    #[serde(skip_serializing_if = "is_zero")]
    pub n_num_features: usize,
    /// Width of a token, at least 4 and a multiple of `nhead`. Default 192.
    pub emsize: usize,
    /// Number of attention heads, at least 1. Default 6.
    pub nhead: usize,
    /// Hidden units of the feed-forward parts and of the head as a multiple of the width, at least
    /// 1. Default 4.
    pub nhid_factor: usize,
    /// Number of layers, at least 1. Default 12.
    pub nlayers: usize,
    /// Features that are one token, at least 1. Default 2.
    pub features_per_group: usize,
    /// Classes that labels are taken for, and width of the output; 0: labels are numbers. Default 10.
    pub max_num_classes: usize,
    /// Width of the output where labels are numbers, at least 1. Default 5000.
    pub num_buckets: usize,
    /// A bias in the linear map of the features. Default false.
    pub encoder_use_bias: bool,
    /// The reference's encoder has one more step, which does nothing but move the names of its
    /// weights. Default false.
    #[serde(skip_serializing_if = "is_false")]
    pub remove_duplicate_features: bool,
    /// Most labelled rows that it looks at, at least 1; more are refused. Default 10000, the limit of
    /// the authors' estimators; raise it to go beyond what the released weights were trained for.
    #[serde(skip_serializing_if = "is_usual_rows")]
    pub row_limit: usize,
    /// Most columns, at least 1; more are refused. Default 500, as `row_limit`.
    #[serde(skip_serializing_if = "is_usual_columns")]
    pub column_limit: usize,
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn is_usual_rows(n: &usize) -> bool {
    *n == ROWS
}

fn is_usual_columns(n: &usize) -> bool {
    *n == COLUMNS
}

impl Default for TabPfnV2Config {
    fn default() -> Self {
        Self {
            n_num_features: 0,
            emsize: 192,
            nhead: 6,
            nhid_factor: 4,
            nlayers: 12,
            features_per_group: 2,
            max_num_classes: 10,
            num_buckets: 5_000,
            encoder_use_bias: false,
            remove_duplicate_features: false,
            row_limit: ROWS,
            column_limit: COLUMNS,
        }
    }
}

impl TabPfnV2Config {
    /// Width of the output.
    #[must_use]
    pub fn d_out(&self) -> usize {
        match self.max_num_classes {
            0 => self.num_buckets,
            classes => classes,
        }
    }

    /// Hidden units of feed-forward parts and head.
    pub(super) fn hidden(&self) -> usize {
        self.emsize * self.nhid_factor
    }

    /// Numbers that stand for a group's place.
    pub(super) fn position_width(&self) -> usize {
        self.emsize / 4
    }

    fn check_columns(&self) -> Result<(), ForgeError> {
        check::in_range("n_num_features", self.n_num_features, limits::COLUMNS)?;
        check::at_least_one("column_limit", self.column_limit)?;
        if self.n_num_features <= self.column_limit {
            return Ok(());
        }
        let allowed = format!(
            "at most column_limit = {}: take fewer columns, or set column_limit to go beyond what \
             the authors' weights were trained for",
            self.column_limit
        );
        Err(ForgeError::config(
            "n_num_features",
            self.n_num_features,
            allowed,
        ))
    }
}

impl ModuleConfig for TabPfnV2Config {
    type Module = TabPfnV2;

    fn validate(&self) -> Result<(), ForgeError> {
        self.check_columns()?;
        check::in_range("emsize", self.emsize, 4..=*limits::WIDTH.end())?;
        check::in_range("nhead", self.nhead, limits::WIDTH)?;
        check::divides("nhead", self.nhead, "emsize", self.emsize)?;
        check::in_range("nhid_factor", self.nhid_factor, limits::WIDTH)?;
        let hidden = self.emsize.saturating_mul(self.nhid_factor);
        check::in_range("emsize times nhid_factor", hidden, limits::WIDTH)?;
        check::in_range("nlayers", self.nlayers, limits::BLOCKS)?;
        check::in_range("features_per_group", self.features_per_group, limits::WIDTH)?;
        check::in_range(
            "max_num_classes",
            self.max_num_classes,
            ..=*limits::COLUMNS.end(),
        )?;
        if self.max_num_classes == 0 {
            let field = "num_buckets with max_num_classes = 0";
            check::in_range(field, self.num_buckets, limits::COLUMNS)?;
        }
        check::at_least_one("row_limit", self.row_limit)
    }

    fn build(&self, device: &Device) -> TabPfnV2 {
        let linear = |from, to| LinearConfig::new(from, to);
        TabPfnV2 {
            x_encoder: linear(2 * self.features_per_group, self.emsize)
                .with_bias(self.encoder_use_bias)
                .init(device),
            y_encoder: linear(2, self.emsize).init(device),
            position_encoder: linear(self.position_width(), self.emsize).init(device),
            layers: (0..self.nlayers)
                .map(|_| TabPfnV2Layer::new(self, device))
                .collect(),
            head_in: linear(self.emsize, self.hidden()).init(device),
            head_out: linear(self.hidden(), self.d_out()).init(device),
            positions: None,
            n_num_features: self.n_num_features,
            group: self.features_per_group,
            classes: self.max_num_classes,
            row_limit: self.row_limit,
            column_limit: self.column_limit,
        }
    }
}

impl ParameterCount for TabPfnV2Config {
    fn parameter_count(&self) -> usize {
        let (width, hidden) = (self.emsize, self.hidden());
        let cells = (2 * self.features_per_group + usize::from(self.encoder_use_bias)) * width;
        let encoders = cells + 3 * width + (self.position_width() + 1) * width;
        let head = (width + 1) * hidden + (hidden + 1) * self.d_out();
        encoders + self.nlayers * TabPfnV2Layer::parameter_count(self) + head
    }
}

impl TabularConfig for TabPfnV2Config {
    const NAME: &'static str = "tabpfn_v2";
    const CAPABILITIES: Capabilities = Capabilities {
        missing: true,
        rows: RowContext::Labelled,
        attention_maps: true,
        ..Capabilities::NONE
    };

    fn spec(&self) -> TabularSpec {
        TabularSpec::of_numbers(self.n_num_features, self.d_out())
    }

    /// Labels stay what they are taken for, classes or numbers, but that a single output cannot be
    /// classes.
    fn sized_for(self, table: &TabularSpec) -> Result<Self, ForgeError> {
        let n_num_features = numeric_only(Self::NAME, table)?;
        let sized = match (self.max_num_classes, table.d_out) {
            (0, d_out) | (_, d_out @ 1) => Self {
                max_num_classes: 0,
                num_buckets: d_out,
                ..self
            },
            (_, d_out) => Self {
                max_num_classes: d_out,
                ..self
            },
        };
        Ok(Self {
            n_num_features,
            ..sized
        })
    }

    fn labels(&self) -> Option<Labels> {
        (self.max_num_classes > 1).then_some(Labels::Classes(self.max_num_classes))
    }

    /// Classes with an output for each are taken for classes, everything else for numbers: two
    /// classes with one output are 0 and 1.
    fn with_labels(self, labels: Labels) -> Result<Self, ForgeError> {
        check_one_label(Self::NAME, labels)?;
        let d_out = self.d_out();
        Ok(match labels {
            Labels::Classes(classes) if classes == d_out => Self {
                max_num_classes: classes,
                ..self
            },
            _ => Self {
                max_num_classes: 0,
                num_buckets: d_out,
                ..self
            },
        })
    }

    fn labelled_rows(&self) -> LabelledRows {
        LabelledRows::within(self.row_limit)
    }

    fn context_bytes(&self, batch: usize, context: usize) -> u64 {
        let tokens = self.n_num_features.div_ceil(self.features_per_group) + 1;
        let of_layer = layer_values(self.emsize, self.hidden());
        let values = row_cost::values(tokens * self.nlayers, of_layer);
        row_cost::bytes(batch, context, values)
    }

    fn smaller(self, by: Shrink) -> Self {
        let unit = self.nhead * 4_usize.div_ceil(self.nhead);
        Self {
            emsize: by.width_of(self.emsize, unit.min(self.emsize)),
            nlayers: by.depth(self.nlayers),
            ..self
        }
    }

    fn narrow() -> Self {
        Self {
            emsize: 8,
            nhead: 2,
            nhid_factor: 2,
            nlayers: 2,
            max_num_classes: 0,
            ..Self::default()
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        let small = |nlayers, emsize, nhead| Self {
            nlayers,
            emsize,
            nhead,
            max_num_classes: 0,
            ..Self::default()
        };
        let library = TrainingPreset {
            learning_rate: 1e-3,
            weight_decay: 0.0,
            batch_size: None,
            steps: 1.0,
            source: "this library's",
        };
        let (config, training) = match strategy {
            Strategy::Fast => (small(2, 32, 4), library),
            Strategy::Balanced => (small(4, 64, 4), library),
            Strategy::Accurate => (
                small(12, 192, 6),
                TrainingPreset {
                    learning_rate: 1e-4,
                    source: "size: the released models (tabpfn 2.0.9), which were trained on drawn \
                             tables; rate and steps: this library's",
                    ..library
                },
            ),
        };
        Preset { config, training }
    }
}
