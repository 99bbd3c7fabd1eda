//! Sizes of the modern residual network.

use burn::tensor::Device;
use forge_nn::norm::BatchNormConfig;
use forge_nn::regularisation::linear_drop_rates;
use forge_nn::{ForgeError, LinearConfig, ModuleConfig, check};
use serde::{Deserialize, Deserializer, Serialize};

use super::{ModernResNet, ModernResNetActivation, ModernResNetBlock};
use crate::contract::takes_numbers;
use crate::limits;
use crate::reference::{KeyMap, ReferenceWeights};
use crate::{
    Capabilities, ParameterCount, Preset, Shrink, Strategy, TabularConfig, TrainingPreset,
};

/// Channels per channel of a gate's bottleneck (arXiv 1709.01507, section 6.4).
const SE_REDUCTION: usize = 16;

/// Makes a [`ModernResNet`].
///
/// No paper has this architecture: the block is the tabular ResNet's, what is around its branch is
/// from image networks. The default has the sizes of `tabular_resnet`'s balanced preset, the gate's
/// reduction of 16 and the scale of 0.1 that their papers name, and stochastic depth and dropout
/// of 0.1. `d_in` has to be set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModernResNetConfig {
    /// Number of features, at least 1.
    pub d_in: usize,
    /// Width of the output, at least 1. Default 1.
    pub d_out: usize,
    /// Number of blocks, at least 1. Default 4.
    pub n_blocks: usize,
    /// Width between the blocks, at least 1. Default 192.
    pub d_block: usize,
    /// Width inside a block, at least 1. Default 384.
    pub d_hidden: usize,
    /// Of the blocks and of the head. Default GELU. Inside a gate it is always ReLU.
    pub activation: ModernResNetActivation,
    /// Gate each branch by squeeze and excitation. Default true.
    pub use_se: bool,
    /// Width of a gate's bottleneck, at least 1; null for `d_block / 16`, at least 1. Default null.
    pub se_hidden: Option<usize>,
    /// Start of the scale of each branch, finite and at least 0; 0, or null in a file, for no
    /// scale. Default 0.1, the paper's up to depth 18.
    #[serde(deserialize_with = "zero_for_null")]
    pub layer_scale_init: f64,
    /// Probability that a row skips the last block in training, in `[0, 1)`; earlier blocks
    /// linearly less. Default 0.1.
    pub stochastic_depth: f64,
    /// Dropout inside a block, in `[0, 1)`. Default 0.1.
    pub dropout: f64,
}

impl Default for ModernResNetConfig {
    fn default() -> Self {
        Self {
            d_in: 0,
            d_out: 1,
            n_blocks: 4,
            d_block: 192,
            d_hidden: 384,
            activation: ModernResNetActivation::Gelu,
            use_se: true,
            se_hidden: None,
            layer_scale_init: 0.1,
            stochastic_depth: 0.1,
            dropout: 0.1,
        }
    }
}

/// TOML has no null to write "none" with.
fn zero_for_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(0.0))
}

impl ModernResNetConfig {
    /// Whether branches have a scale.
    pub(super) fn has_scale(&self) -> bool {
        self.layer_scale_init > 0.0
    }

    /// The width of a gate's bottleneck.
    #[must_use]
    pub fn se_width(&self) -> usize {
        self.se_hidden
            .unwrap_or_else(|| (self.d_block / SE_REDUCTION).max(1))
    }
}

impl ModuleConfig for ModernResNetConfig {
    type Module = ModernResNet;

    fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("d_in", self.d_in, limits::COLUMNS)?;
        check::in_range("d_out", self.d_out, limits::COLUMNS)?;
        check::in_range("n_blocks", self.n_blocks, limits::BLOCKS)?;
        check::in_range("d_block", self.d_block, limits::WIDTH)?;
        check::in_range("d_hidden", self.d_hidden, limits::WIDTH)?;
        if let Some(width) = self.se_hidden {
            check::in_range("se_hidden", width, limits::WIDTH)?;
        }
        check::in_range("layer_scale_init", self.layer_scale_init, 0.0..=f64::MAX)?;
        check::probability("stochastic_depth", self.stochastic_depth)?;
        check::probability("dropout", self.dropout)
    }

    fn build(&self, device: &Device) -> ModernResNet {
        let rates = linear_drop_rates(self.n_blocks, self.stochastic_depth);
        let blocks = rates.into_iter();
        ModernResNet {
            input: LinearConfig::new(self.d_in, self.d_block).init(device),
            blocks: blocks
                .map(|rate| ModernResNetBlock::new(self, rate, device))
                .collect(),
            norm: BatchNormConfig::new(self.d_block).build(device),
            output: LinearConfig::new(self.d_block, self.d_out).init(device),
            activation: self.activation,
        }
    }
}

impl TabularConfig for ModernResNetConfig {
    const NAME: &'static str = "modern_resnet";
    const CAPABILITIES: Capabilities = Capabilities {
        batch_statistics: true,
        ..Capabilities::NONE
    };

    takes_numbers!();

    fn smaller(self, by: Shrink) -> Self {
        Self {
            n_blocks: by.depth(self.n_blocks),
            d_block: by.width(self.d_block),
            d_hidden: by.width(self.d_hidden),
            se_hidden: self.se_hidden.map(|width| by.width(width)),
            ..self
        }
    }

    fn narrow() -> Self {
        Self {
            n_blocks: 2,
            d_block: 16,
            d_hidden: 32,
            se_hidden: Some(4),
            stochastic_depth: 0.05,
            dropout: 0.05,
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
            // Dropout is for tables with more noise than rows.
            config: Self {
                n_blocks,
                d_block,
                d_hidden: 2 * d_block,
                stochastic_depth: 0.0,
                dropout: 0.0,
                ..Self::default()
            },
            training: TrainingPreset {
                learning_rate: 2e-3,
                weight_decay: 1e-5,
                batch_size: None,
                steps: 1.0,
                source: "this library's: sizes and training of tabular_resnet's presets",
            },
        }
    }
}

impl ParameterCount for ModernResNetConfig {
    fn parameter_count(&self) -> usize {
        let (width, hidden, gate) = (self.d_block, self.d_hidden, self.se_width());
        let gate = usize::from(self.use_se) * ((width + 1) * gate + (gate + 1) * width);
        let scale = usize::from(self.has_scale()) * width;
        let block = 2 * width + (width + 1) * hidden + (hidden + 1) * width + gate + scale;
        let ends = (self.d_in + 1) * width + 2 * width + (width + 1) * self.d_out;
        self.n_blocks * block + ends
    }
}

impl ReferenceWeights for ModernResNetConfig {
    const REFERENCE: &'static str = "rtdl_revisiting_models==0.0.2:ResNet with timm==1.0.31 \
                                     SqueezeExcite (blocks.N.se) and LayerScale \
                                     (blocks.N.layer_scale)";

    fn key_map(&self) -> KeyMap {
        let map = KeyMap::new()
            .linear("input", "input_projection")
            .batch_norm("norm", "output.normalization")
            .linear("output", "output.linear");
        (0..self.n_blocks).fold(map, |map, i| {
            let block = format!("blocks.{i}");
            let same = |map: KeyMap, part: &str| {
                let name = format!("{block}.{part}");
                map.linear(&name, &name)
            };
            let mut map =
                map.batch_norm(&format!("{block}.norm"), &format!("{block}.normalization"));
            map = same(same(map, "linear1"), "linear2");
            if self.use_se {
                map = same(same(map, "se.fc1"), "se.fc2");
            }
            if self.has_scale() {
                let name = format!("{block}.layer_scale.gamma");
                map = map.same(&name, &name);
            }
            map
        })
    }
}
