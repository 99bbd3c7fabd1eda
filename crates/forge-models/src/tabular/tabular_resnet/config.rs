//! Sizes of the residual network.

use burn::tensor::Device;
use forge_nn::norm::BatchNormConfig;
use forge_nn::num_embeddings::NumEmbeddings;
use forge_nn::regularisation::DropoutConfig;
use forge_nn::{ForgeError, LinearConfig, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::{TabularResNet, TabularResNetBlock};
use crate::contract::takes_numbers;
use crate::limits;
use crate::reference::{KeyMap, ReferenceWeights};
use crate::tabular::numbers::Numbers;
use crate::{
    Capabilities, ParameterCount, Preset, Shrink, Strategy, TabularConfig, TrainingPreset,
    TrainingRows,
};

/// The factor of `d_block` where neither hidden width nor factor is given.
const MULTIPLIER: f64 = 2.0;

/// Makes a [`TabularResNet`].
///
/// The package has no default architecture; the paper tunes it within 1 to 8 blocks, widths of 64
/// to 512, hidden factors of 1 to 4 and dropouts up to 0.5 (table 17 of arXiv 2106.11959 v5). The
/// default here is from the middle of that space: 2 blocks, 192 wide, factor 2, dropouts 0.15 and
/// 0. `d_in` has to be set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TabularResNetConfig {
    /// Number of features, at least 1.
    pub d_in: usize,
    /// Width of the output, at least 1.
    pub d_out: usize,
    /// Number of blocks, at least 1.
    pub n_blocks: usize,
    /// Width between the blocks, at least 1.
    pub d_block: usize,
    /// Width inside a block, or null for `d_hidden_multiplier`.
    #[serde(default)]
    pub d_hidden: Option<usize>,
    /// Width inside a block as a factor of `d_block`, the product truncated; null where `d_hidden`
    /// is set. A file that sets neither gets a factor of 2.
    #[serde(default)]
    pub d_hidden_multiplier: Option<f64>,
    /// Dropout inside a block, in `[0, 1)`.
    pub dropout1: f64,
    /// Dropout of a block's output, in `[0, 1)`.
    pub dropout2: f64,
    /// How numbers become vectors before the first layer; absent: they stay as they are. One-hot
    /// columns are numbers here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_embeddings: Option<NumEmbeddings>,
}

impl Default for TabularResNetConfig {
    fn default() -> Self {
        Self {
            d_in: 0,
            d_out: 1,
            n_blocks: 2,
            d_block: 192,
            d_hidden: None,
            d_hidden_multiplier: Some(MULTIPLIER),
            dropout1: 0.15,
            dropout2: 0.0,
            num_embeddings: None,
        }
    }
}

impl TabularResNetConfig {
    fn numbers(&self) -> Numbers<'_> {
        Numbers {
            n_features: self.d_in,
            embeddings: &self.num_embeddings,
        }
    }

    /// The width inside a block.
    #[must_use]
    pub fn hidden_width(&self) -> usize {
        limits::hidden_width(
            self.d_hidden,
            self.d_hidden_multiplier,
            self.d_block,
            MULTIPLIER,
        )
    }
}

impl ModuleConfig for TabularResNetConfig {
    type Module = TabularResNet;

    fn validate(&self) -> Result<(), ForgeError> {
        let (width, factor) = (self.d_hidden, self.d_hidden_multiplier);
        check::in_range("d_in", self.d_in, limits::COLUMNS)?;
        check::in_range("d_out", self.d_out, limits::COLUMNS)?;
        check::in_range("n_blocks", self.n_blocks, limits::BLOCKS)?;
        check::in_range("d_block", self.d_block, limits::WIDTH)?;
        limits::check_hidden_width("d_hidden", width, factor, self.d_block)?;
        check::probability("dropout1", self.dropout1)?;
        check::probability("dropout2", self.dropout2)?;
        self.numbers().validate()
    }

    fn build(&self, device: &Device) -> TabularResNet {
        let (width, hidden) = (self.d_block, self.hidden_width());
        let block = |_| TabularResNetBlock {
            norm: BatchNormConfig::new(width).build(device),
            linear1: LinearConfig::new(width, hidden).init(device),
            dropout1: DropoutConfig::new(self.dropout1).build(device),
            linear2: LinearConfig::new(hidden, width).init(device),
            dropout2: DropoutConfig::new(self.dropout2).build(device),
        };
        TabularResNet {
            num_embeddings: self.numbers().embedder(device),
            input: LinearConfig::new(self.numbers().width(), width).init(device),
            blocks: (0..self.n_blocks).map(block).collect(),
            norm: BatchNormConfig::new(width).build(device),
            output: LinearConfig::new(width, self.d_out).init(device),
        }
    }
}

impl TabularConfig for TabularResNetConfig {
    const NAME: &'static str = "tabular_resnet";
    const CAPABILITIES: Capabilities = Capabilities {
        batch_statistics: true,
        ..Capabilities::NONE
    };

    takes_numbers!();

    fn smaller(self, by: Shrink) -> Self {
        Self {
            n_blocks: by.depth(self.n_blocks),
            d_block: by.width(self.d_block),
            d_hidden: self.d_hidden.map(|width| by.width(width)),
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
            d_block: 16,
            dropout1: 0.1,
            dropout2: 0.05,
            ..Self::default()
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        let (n_blocks, d_block) = match strategy {
            Strategy::Fast => (2, 96),
            Strategy::Balanced => (4, 192),
            Strategy::Accurate => (6, 384),
        };
        Preset {
            config: Self {
                n_blocks,
                d_block,
                dropout1: 0.0,
                dropout2: 0.0,
                ..Self::default()
            },
            training: TrainingPreset {
                learning_rate: 2e-3,
                weight_decay: 1e-5,
                batch_size: None,
                steps: 1.0,
                source: "this library's: sizes within table 17 of arXiv 2106.11959 v5, which names \
                         no default",
            },
        }
    }
}

impl ParameterCount for TabularResNetConfig {
    fn parameter_count(&self) -> usize {
        let (width, hidden) = (self.d_block, self.hidden_width());
        let block = 2 * width + (width + 1) * hidden + (hidden + 1) * width;
        let numbers = self.numbers();
        let ends = (numbers.width() + 1) * width + 2 * width + (width + 1) * self.d_out;
        numbers.parameter_count() + self.n_blocks * block + ends
    }
}

impl ReferenceWeights for TabularResNetConfig {
    const REFERENCE: &'static str = "rtdl_revisiting_models==0.0.2:ResNet";

    fn key_map(&self) -> KeyMap {
        let map = self
            .numbers()
            .key_map(KeyMap::new(), "num_embeddings")
            .linear("input", "input_projection")
            .batch_norm("norm", "output.normalization")
            .linear("output", "output.linear");
        (0..self.n_blocks).fold(map, |map, i| {
            let block = format!("blocks.{i}");
            map.batch_norm(&format!("{block}.norm"), &format!("{block}.normalization"))
                .linear(&format!("{block}.linear1"), &format!("{block}.linear1"))
                .linear(&format!("{block}.linear2"), &format!("{block}.linear2"))
        })
    }
}
