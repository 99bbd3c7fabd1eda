//! The recipe of a TabPFN.

use burn::tensor::Device;
use forge_nn::ops::LinearActivation;
use forge_nn::{ForgeError, LinearConfig, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::TabPfnV1;
use crate::contract::numeric_only;
use crate::encoder_layer::EncoderLayerConfig;
use crate::limits;
use crate::reference::{KeyMap, ReferenceWeights};
use crate::tabular::one_target::check_one_label;
use crate::tabular::row_cost;
use crate::{
    Capabilities, LabelledRows, Labels, ParameterCount, Preset, RowContext, Shrink, Strategy,
    TabularConfig, TabularSpec, TrainingPreset,
};

/// What stands between the two linear maps of a layer's feed-forward part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TabPfnActivation {
    /// The exact (erf) GELU: the released model's.
    Gelu,
    /// `max(x, 0)`.
    Relu,
}

impl TabPfnActivation {
    pub(super) fn fused(self) -> LinearActivation {
        match self {
            Self::Gelu => LinearActivation::Gelu,
            Self::Relu => LinearActivation::Relu,
        }
    }
}

/// Labelled rows that the authors' classifier takes.
const ROWS: usize = 1_024;

/// Makes a [`TabPfnV1`].
///
/// The default is the architecture of the released model (`automl/TabPFN` at ddf5e85): 100
/// features, 10 classes, 12 layers 512 wide with 4 heads and a feed-forward part of 1024.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TabPfnV1Config {
    /// Number of features, at least 1; narrower tables are
    /// [widened](super::TabPfnV1::widen).
    pub num_features: usize,
    /// Width of the output: the largest number of classes, at least 1.
    pub n_out: usize,
    /// Width of a token, a multiple of `nhead`.
    pub emsize: usize,
    /// Number of attention heads, at least 1.
    pub nhead: usize,
    /// Hidden units of the feed-forward parts and of the head, at least 1.
    pub nhid: usize,
    /// Number of layers, at least 1.
    pub nlayers: usize,
    /// Dropout on attention weights, inside the feed-forward parts and on what a layer adds, in
    /// `[0, 1)`.
    pub dropout: f64,
    /// Activation of the feed-forward parts; the head has GELU.
    pub activation: TabPfnActivation,
    /// Normalise before a part and not after the residual sum.
    pub pre_norm: bool,
    /// Always true: rows to predict see the labelled rows and nothing else. Otherwise the reference
    /// lets each see itself too, which is not implemented.
    pub efficient_eval_masking: bool,
    /// Most labelled rows that it looks at, at least 1; more are refused. Default 1024, the limit of
    /// the authors' classifier; raise it to go beyond what the released weights were trained for.
    #[serde(skip_serializing_if = "is_usual_rows")]
    pub row_limit: usize,
}

fn is_usual_rows(n: &usize) -> bool {
    *n == ROWS
}

impl Default for TabPfnV1Config {
    fn default() -> Self {
        Self {
            num_features: 100,
            n_out: 10,
            emsize: 512,
            nhead: 4,
            nhid: 1_024,
            nlayers: 12,
            dropout: 0.0,
            activation: TabPfnActivation::Gelu,
            pre_norm: false,
            efficient_eval_masking: true,
            row_limit: ROWS,
        }
    }
}

impl TabPfnV1Config {
    fn layer(&self) -> EncoderLayerConfig {
        EncoderLayerConfig {
            d_model: self.emsize,
            n_heads: self.nhead,
            d_ff: self.nhid,
            dropout: self.dropout,
            pre_norm: self.pre_norm,
            activation: self.activation.fused(),
        }
    }
}

impl ModuleConfig for TabPfnV1Config {
    type Module = TabPfnV1;

    fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("num_features", self.num_features, limits::COLUMNS)?;
        check::in_range("n_out", self.n_out, limits::COLUMNS)?;
        check::in_range("emsize", self.emsize, limits::WIDTH)?;
        check::in_range("nhead", self.nhead, limits::WIDTH)?;
        check::divides("nhead", self.nhead, "emsize", self.emsize)?;
        check::in_range("nhid", self.nhid, limits::WIDTH)?;
        check::in_range("nlayers", self.nlayers, limits::BLOCKS)?;
        check::probability("dropout", self.dropout)?;
        check::at_least_one("row_limit", self.row_limit)?;
        if self.efficient_eval_masking {
            return Ok(());
        }
        let allowed = "true (rows to predict that see themselves are not implemented)";
        Err(ForgeError::config("efficient_eval_masking", false, allowed))
    }

    fn build(&self, device: &Device) -> TabPfnV1 {
        let linear = |d_in, d_out| LinearConfig::new(d_in, d_out).init(device);
        TabPfnV1 {
            x_encoder: linear(self.num_features, self.emsize),
            y_encoder: linear(1, self.emsize),
            layers: (0..self.nlayers)
                .map(|_| self.layer().build(device))
                .collect(),
            head_in: linear(self.emsize, self.nhid),
            head_out: linear(self.nhid, self.n_out),
            row_limit: self.row_limit,
        }
    }
}

impl ParameterCount for TabPfnV1Config {
    fn parameter_count(&self) -> usize {
        let (width, hidden) = (self.emsize, self.nhid);
        let encoders = (self.num_features + 1) * width + 2 * width;
        let head = (width + 1) * hidden + (hidden + 1) * self.n_out;
        encoders + self.nlayers * self.layer().parameter_count() + head
    }
}

impl TabularConfig for TabPfnV1Config {
    const NAME: &'static str = "tabpfn_v1";
    const CAPABILITIES: Capabilities = Capabilities {
        rows: RowContext::Labelled,
        attention_maps: true,
        ..Capabilities::NONE
    };

    fn spec(&self) -> TabularSpec {
        TabularSpec::of_numbers(self.num_features, self.n_out)
    }

    fn sized_for(self, table: &TabularSpec) -> Result<Self, ForgeError> {
        Ok(Self {
            num_features: numeric_only(Self::NAME, table)?,
            n_out: table.d_out,
            ..self
        })
    }

    fn with_labels(self, labels: Labels) -> Result<Self, ForgeError> {
        check_one_label(Self::NAME, labels)?;
        Ok(self)
    }

    fn labelled_rows(&self) -> LabelledRows {
        LabelledRows::within(self.row_limit)
    }

    fn context_bytes(&self, batch: usize, context: usize) -> u64 {
        // Projections, mixed heads, both norms and residuals; hidden units.
        let of_layer = 10 * self.emsize + 2 * self.nhid;
        let values = row_cost::values(self.nlayers, of_layer);
        row_cost::bytes(batch, context, values)
    }

    fn smaller(self, by: Shrink) -> Self {
        Self {
            emsize: by.width_of(self.emsize, self.nhead),
            nhid: by.width(self.nhid),
            nlayers: by.depth(self.nlayers),
            ..self
        }
    }

    fn narrow() -> Self {
        Self {
            emsize: 16,
            nhead: 2,
            nhid: 32,
            nlayers: 2,
            dropout: 0.05,
            ..Self::default()
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        let small = |nlayers, emsize| Self {
            nlayers,
            emsize,
            nhid: 2 * emsize,
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
            Strategy::Fast => (small(2, 64), library),
            Strategy::Balanced => (small(4, 128), library),
            Strategy::Accurate => (
                Self::default(),
                TrainingPreset {
                    learning_rate: 1e-4,
                    source: "size and rate: the released model and get_general_config of \
                             automl/TabPFN at ddf5e85, which trains on drawn tables; steps: this \
                             library's",
                    ..library
                },
            ),
        };
        Preset { config, training }
    }
}

impl ReferenceWeights for TabPfnV1Config {
    const REFERENCE: &'static str = "automl/TabPFN@ddf5e85:tabpfn/transformer.py:TransformerModel";

    fn key_map(&self) -> KeyMap {
        let map = KeyMap::new()
            .linear("x_encoder", "encoder")
            .linear("y_encoder", "y_encoder")
            .linear("head_in", "decoder.0")
            .linear("head_out", "decoder.2");
        (0..self.nlayers).fold(map, |map, i| {
            let ours = format!("layers.{i}");
            let theirs = format!("transformer_encoder.layers.{i}");
            EncoderLayerConfig::key_map(map, &ours, &theirs)
        })
    }
}
