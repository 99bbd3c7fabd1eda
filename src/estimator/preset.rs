//! A model's preset as trainer settings.

use forge_models::{ModelConfig, Recipe, Strategy, TargetKind, TrainingPreset};
use forge_nn::ForgeError;
use forge_train::averaging::EmaConfig;
use forge_train::optimizer::{AdamWConfig, OptimizerConfig};
use forge_train::schedule::{CosineWarmup, ScheduleConfig};
use forge_train::{EarlyStoppingConfig, TrainerConfig};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::Error;

/// Fewest epochs, for tables so long that the steps are spent sooner.
const MIN_EPOCHS: usize = 8;
/// Most epochs, for tables so short that the steps would go round them for ever.
const MAX_EPOCHS: usize = 400;
/// With fewer training rows validation has so few that its best so far is often chance, and the whole
/// schedule takes seconds: training goes on to the end, and the best epoch is kept all the same.
const FEW_ROWS: usize = 2_000;

/// Training settings for `rows` training rows: enough steps to converge, whatever the table's
/// length, in batches that leave a small table some steps per epoch.
pub(super) fn training(
    name: &str,
    strategy: Strategy,
    rows: usize,
    target: TargetKind,
) -> Result<TrainerConfig, Error> {
    let preset = ModelConfig::preset_for(name, strategy, target)?.training;
    let recipe = ModelConfig::recipe(name, strategy, target)?;
    of_preset(preset, &recipe, strategy, rows, MIN_EPOCHS)
}

/// The same for windows of series, of which there may be so many, each nearly its neighbour, that
/// the steps are spent before all were seen.
pub(crate) fn series_training(
    preset: TrainingPreset,
    recipe: &Recipe,
    strategy: Strategy,
    windows: usize,
) -> Result<TrainerConfig, Error> {
    of_preset(preset, recipe, strategy, windows, 1)
}

fn of_preset(
    preset: TrainingPreset,
    recipe: &Recipe,
    strategy: Strategy,
    rows: usize,
    min_epochs: usize,
) -> Result<TrainerConfig, Error> {
    let steps = match strategy {
        Strategy::Fast => 600.0,
        Strategy::Balanced => 2_500.0,
        Strategy::Accurate => 12_000.0,
    };
    let usual = (rows / 16).next_power_of_two().clamp(16, 256);
    // A table shorter than sixteen of the preset's batches gets smaller ones.
    let batch_size = preset.batch_size.map_or(usual, |batch| {
        batch.min((rows / 16).next_power_of_two()).max(16)
    });
    let per_epoch = rows.div_ceil(batch_size).max(1) as f64;
    let epochs = ((steps * preset.steps / per_epoch) as usize).clamp(min_epochs, MAX_EPOCHS);
    let usual = TrainerConfig {
        epochs,
        batch_size,
        schedule: ScheduleConfig::CosineWarmup(CosineWarmup {
            base_lr: preset.learning_rate,
            ..CosineWarmup::default()
        }),
        optimizer: OptimizerConfig::AdamW(AdamWConfig {
            weight_decay: preset.weight_decay,
            ..AdamWConfig::default()
        }),
        ema: Some(EmaConfig::default()),
        clip_norm: Some(1.0),
        early_stopping: (rows >= FEW_ROWS).then(|| EarlyStoppingConfig {
            patience: (epochs / 4).max(8),
            ..EarlyStoppingConfig::default()
        }),
        ..TrainerConfig::default()
    };
    with_fields(&usual, &recipe.trainer)
}

/// `config` with some fields as a model's recipe has them.
pub(super) fn with_fields<C: Serialize + DeserializeOwned>(
    config: &C,
    fields: &Map<String, Value>,
) -> Result<C, Error> {
    let refuse = |e: serde_json::Error| ForgeError::config("the model's recipe", e, "settings");
    let mut value = serde_json::to_value(config).map_err(refuse)?;
    if let Value::Object(all) = &mut value {
        all.extend(fields.clone());
    }
    Ok(serde_json::from_value(value).map_err(refuse)?)
}
