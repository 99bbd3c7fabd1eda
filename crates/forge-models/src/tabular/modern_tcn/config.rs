//! The recipe of a ModernTCN over tokens.

use burn::tensor::Device;
use forge_nn::{ForgeError, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::sizes::BlockSizes;
use super::{ModernTcnBackbone, ModernTcnBlock};
use crate::limits;
use crate::reference::KeyMap;
use crate::tabular::BackboneConfig;
use crate::{Preset, Shrink, Strategy, TrainingPreset};

/// Makes a [`ModernTcnBackbone`].
///
/// The default is the authors' forecasting script for ETTh1: one block, 64 wide, kernels of 51 and 5,
/// feed-forward parts no wider than their input, dropout 0.3.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModernTcnConfig {
    /// Width of a token, at least 1.
    pub d_model: usize,
    /// Number of blocks, at least 1.
    pub n_blocks: usize,
    /// Tokens that the large kernel covers, odd. A table's model needs
    /// `n_blocks · (large_size - 1) / 2` to be at least its number of columns.
    pub large_size: usize,
    /// Tokens that the small kernel covers, odd, at most `large_size`.
    pub small_size: usize,
    /// Hidden width of the feed-forward parts, as a multiple of their input; at least 1.
    pub ffn_ratio: usize,
    /// Dropout inside and behind the feed-forward parts, in `[0, 1)`.
    pub dropout: f64,
}

impl Default for ModernTcnConfig {
    fn default() -> Self {
        Self {
            d_model: 64,
            n_blocks: 1,
            large_size: 51,
            small_size: 5,
            ffn_ratio: 1,
            dropout: 0.3,
        }
    }
}

impl ModernTcnConfig {
    fn sizes(&self) -> BlockSizes {
        BlockSizes {
            n_variables: 1,
            d_model: self.d_model,
            large_size: self.large_size,
            small_size: self.small_size,
            ffn_ratio: self.ffn_ratio,
            dropout: self.dropout,
        }
    }
}

impl ModuleConfig for ModernTcnConfig {
    type Module = ModernTcnBackbone;

    fn validate(&self) -> Result<(), ForgeError> {
        self.sizes().validate()?;
        check::in_range("n_blocks", self.n_blocks, limits::BLOCKS)
    }

    fn build(&self, device: &Device) -> ModernTcnBackbone {
        let block = |_| ModernTcnBlock::new(&self.sizes(), device);
        ModernTcnBackbone {
            blocks: (0..self.n_blocks).map(block).collect(),
        }
    }
}

impl BackboneConfig for ModernTcnConfig {
    const NAME: &'static str = "modern_tcn";
    const REFERENCE: &'static str = "luodhhh/ModernTCN@56a9a2c0:Stage, of one variable";

    fn d_token(&self) -> usize {
        self.d_model
    }

    fn parameter_count(&self) -> usize {
        self.n_blocks * self.sizes().parameter_count()
    }

    fn key_map(&self, map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
        (0..self.n_blocks).fold(map, |map, i| {
            let (ours, theirs) = (format!("{ours}blocks.{i}"), format!("{theirs}blocks.{i}"));
            self.sizes().key_map(map, &ours, &theirs)
        })
    }

    /// Depth and kernels stay: how far a token sees hangs on them.
    fn smaller(self, by: Shrink) -> Self {
        Self {
            d_model: by.width(self.d_model),
            ffn_ratio: by.width(self.ffn_ratio),
            ..self
        }
    }

    fn narrow() -> Self {
        Self {
            d_model: 12,
            n_blocks: 2,
            large_size: 7,
            small_size: 3,
            ffn_ratio: 2,
            dropout: 0.1,
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        // Two blocks: a token then sees 50 others on either side.
        let sized = |d_model, ffn_ratio, dropout| Self {
            d_model,
            n_blocks: 2,
            ffn_ratio,
            dropout,
            ..Self::default()
        };
        let config = match strategy {
            Strategy::Fast => sized(32, 2, 0.0),
            Strategy::Balanced => sized(64, 2, 0.0),
            Strategy::Accurate => Self {
                n_blocks: 3,
                ..sized(128, 2, 0.1)
            },
        };
        Preset {
            config,
            training: TrainingPreset {
                learning_rate: 1e-3,
                weight_decay: 1e-5,
                batch_size: None,
                steps: 1.0,
                source: "this library's",
            },
        }
    }

    /// The first token, which is read, must see the last.
    fn validate_tokens(&self, n_tokens: usize) -> Result<(), ForgeError> {
        let (reach, needed) = (self.n_blocks * (self.large_size / 2), n_tokens - 1);
        if reach >= needed {
            return Ok(());
        }
        let size = 2 * needed.div_ceil(self.n_blocks) + 1;
        let allowed = format!(
            "at least {size} with n_blocks = {}: the token that is read sees {reach} of {needed} columns",
            self.n_blocks
        );
        Err(ForgeError::config("large_size", self.large_size, allowed))
    }
}
