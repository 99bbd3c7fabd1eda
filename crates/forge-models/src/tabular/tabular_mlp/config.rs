//! Sizes of the multilayer perceptron.

use burn::tensor::Device;
use forge_nn::num_embeddings::NumEmbeddings;
use forge_nn::regularisation::DropoutConfig;
use forge_nn::{ForgeError, LinearConfig, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::TabularMlp;
use crate::contract::takes_numbers;
use crate::limits;
use crate::reference::{KeyMap, ReferenceWeights};
use crate::tabular::numbers::Numbers;
use crate::{
    Capabilities, ParameterCount, Preset, Shrink, Strategy, TabularConfig, TrainingPreset,
    TrainingRows,
};

/// Makes a [`TabularMlp`].
///
/// The package has no default architecture; the paper tunes it within 1 to 8 layers, widths of 1
/// to 512 and dropout up to 0.5 (table 16 of arXiv 2106.11959 v5). The default here is from the
/// middle of that space: 3 blocks, 256 wide, dropout 0.1. `d_in` has to be set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TabularMlpConfig {
    /// Number of features, at least 1.
    pub d_in: usize,
    /// Width of the output, at least 1.
    pub d_out: usize,
    /// Number of blocks, at least 1.
    pub n_blocks: usize,
    /// Width of every block, at least 1.
    pub d_block: usize,
    /// Dropout after every block, in `[0, 1)`.
    pub dropout: f64,
    /// How numbers become vectors before the first layer; absent: they stay as they are. One-hot
    /// columns are numbers here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_embeddings: Option<NumEmbeddings>,
}

impl Default for TabularMlpConfig {
    fn default() -> Self {
        Self {
            d_in: 0,
            d_out: 1,
            n_blocks: 3,
            d_block: 256,
            dropout: 0.1,
            num_embeddings: None,
        }
    }
}

impl TabularMlpConfig {
    fn numbers(&self) -> Numbers<'_> {
        Numbers {
            n_features: self.d_in,
            embeddings: &self.num_embeddings,
        }
    }
}

impl ModuleConfig for TabularMlpConfig {
    type Module = TabularMlp;

    fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("d_in", self.d_in, limits::COLUMNS)?;
        check::in_range("d_out", self.d_out, limits::COLUMNS)?;
        check::in_range("n_blocks", self.n_blocks, limits::BLOCKS)?;
        check::in_range("d_block", self.d_block, limits::WIDTH)?;
        check::probability("dropout", self.dropout)?;
        self.numbers().validate()
    }

    fn build(&self, device: &Device) -> TabularMlp {
        let first = self.numbers().width();
        let width = |i| if i == 0 { first } else { self.d_block };
        let block = |i| LinearConfig::new(width(i), self.d_block).init(device);
        TabularMlp {
            num_embeddings: self.numbers().embedder(device),
            blocks: (0..self.n_blocks).map(block).collect(),
            dropout: DropoutConfig::new(self.dropout).build(device),
            output: LinearConfig::new(self.d_block, self.d_out).init(device),
        }
    }
}

impl TabularConfig for TabularMlpConfig {
    const NAME: &'static str = "tabular_mlp";
    const CAPABILITIES: Capabilities = Capabilities::NONE;

    takes_numbers!();

    fn smaller(self, by: Shrink) -> Self {
        Self {
            n_blocks: by.depth(self.n_blocks),
            d_block: by.width(self.d_block),
            num_embeddings: self.numbers().smaller(by),
            ..self
        }
    }

    fn fitted_to(self, rows: &TrainingRows<'_>) -> Result<Self, ForgeError> {
        Ok(Self {
            num_embeddings: self.numbers().fitted_to(rows)?,
            ..self
        })
    }

    fn narrow() -> Self {
        Self {
            n_blocks: 2,
            d_block: 32,
            ..Self::default()
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        // So few steps as `fast` has want longer ones: see docs/ablation.md.
        let (n_blocks, d_block, learning_rate) = match strategy {
            Strategy::Fast => (3, 128, 4e-3),
            Strategy::Balanced => (4, 256, 2e-3),
            Strategy::Accurate => (5, 512, 2e-3),
        };
        Preset {
            // Dropout is for tables with more noise than rows.
            config: Self {
                n_blocks,
                d_block,
                dropout: 0.0,
                ..Self::default()
            },
            training: TrainingPreset {
                learning_rate,
                weight_decay: 1e-5,
                batch_size: None,
                steps: 1.0,
                source: "this library's: sizes within table 16 of arXiv 2106.11959 v5, which names \
                         no default",
            },
        }
    }
}

impl ParameterCount for TabularMlpConfig {
    fn parameter_count(&self) -> usize {
        let d = self.d_block;
        let numbers = self.numbers();
        let ends = (numbers.width() + 1) * d + (d + 1) * self.d_out;
        numbers.parameter_count() + ends + (self.n_blocks - 1) * (d + 1) * d
    }
}

impl ReferenceWeights for TabularMlpConfig {
    const REFERENCE: &'static str = "rtdl_revisiting_models==0.0.2:MLP";

    fn key_map(&self) -> KeyMap {
        let map = self.numbers().key_map(KeyMap::new(), "num_embeddings");
        let map = map.linear("output", "output");
        (0..self.n_blocks).fold(map, |map, i| {
            map.linear(&format!("blocks.{i}"), &format!("blocks.{i}.linear"))
        })
    }
}
