//! Sizes and settings by model and strategy.

use forge_data::{NumericTransform, PreprocessConfig};
use forge_models::{ModelConfig, TabularSpec};
use forge_train::averaging::EmaConfig;
use forge_train::optimizer::{AdamWConfig, OptimizerConfig};
use forge_train::schedule::{CosineWarmup, ScheduleConfig};
use forge_train::{EarlyStoppingConfig, TrainerConfig};

use super::Strategy;
use crate::Error;

/// Fewest epochs, for tables so long that the steps are spent sooner.
const MIN_EPOCHS: usize = 8;
/// Most epochs, for tables so short that the steps would go round them for ever.
const MAX_EPOCHS: usize = 400;

/// The model sized for a table.
pub(super) fn model(
    name: &str,
    strategy: Strategy,
    spec: &TabularSpec,
) -> Result<ModelConfig, Error> {
    let mut config = ModelConfig::from_name(name, spec)?;
    match &mut config {
        // The registry's defaults are the paper's: `Accurate`. Dropout is for tables with more
        // noise than rows; below the paper's size it costs accuracy.
        ModelConfig::FtTransformer(c) => {
            let (blocks, width, heads) = match strategy {
                Strategy::Fast => (2, 32, 4),
                Strategy::Balanced => (2, 64, 8),
                Strategy::Accurate => (c.n_blocks, c.d_block, c.attention_n_heads),
            };
            (c.n_blocks, c.d_block, c.attention_n_heads) = (blocks, width, heads);
            if strategy != Strategy::Accurate {
                (c.attention_dropout, c.ffn_dropout) = (0.0, 0.0);
            }
        }
        ModelConfig::TabularResNet(c) => {
            (c.n_blocks, c.d_block) = match strategy {
                Strategy::Fast => (2, 96),
                Strategy::Balanced => (4, 192),
                Strategy::Accurate => (6, 384),
            };
            (c.dropout1, c.dropout2) = (0.0, 0.0);
        }
        ModelConfig::TabularMlp(c) => {
            (c.n_blocks, c.d_block) = match strategy {
                Strategy::Fast => (3, 128),
                Strategy::Balanced => (4, 256),
                Strategy::Accurate => (5, 512),
            };
            c.dropout = 0.0;
        }
    }
    Ok(config)
}

/// What suits most tables: standardised columns.
pub(super) fn preprocess(_model: &str) -> PreprocessConfig {
    PreprocessConfig {
        numeric: NumericTransform::Standardize,
        ..PreprocessConfig::default()
    }
}

/// Training settings for `rows` training rows: enough steps to converge, whatever the table's
/// length, in batches that leave a small table some steps an epoch.
pub(super) fn training(name: &str, strategy: Strategy, rows: usize) -> TrainerConfig {
    let steps = match strategy {
        Strategy::Fast => 600,
        Strategy::Balanced => 2_500,
        Strategy::Accurate => 12_000,
    };
    let batch_size = (rows / 16).next_power_of_two().clamp(16, 256);
    let epochs = (steps / rows.div_ceil(batch_size).max(1)).clamp(MIN_EPOCHS, MAX_EPOCHS);
    let base_lr = match name {
        "ft_transformer" => 1e-3,
        _ => 2e-3,
    };
    TrainerConfig {
        epochs,
        batch_size,
        schedule: ScheduleConfig::CosineWarmup(CosineWarmup {
            base_lr,
            ..CosineWarmup::default()
        }),
        optimizer: OptimizerConfig::AdamW(AdamWConfig {
            weight_decay: 1e-5,
            ..AdamWConfig::default()
        }),
        ema: Some(EmaConfig::default()),
        clip_norm: Some(1.0),
        early_stopping: Some(EarlyStoppingConfig {
            patience: (epochs / 4).max(8),
            ..EarlyStoppingConfig::default()
        }),
        ..TrainerConfig::default()
    }
}
