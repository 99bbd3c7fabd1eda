//! How models are built and trained where their authors say so for a set.

use volatilityforge::forecast::SeriesModelChoice;
use volatilityforge::models::{PatchTstConfig, SeriesModelConfig};
use volatilityforge::{Error, Strategy, TrainingSettings};

/// Epochs, patience, learning rate and rows of a step, and the model's sizes.
#[derive(Debug)]
pub(crate) struct Recipe {
    pub(crate) training: TrainingSettings,
    pub(crate) model: SeriesModelChoice,
    /// Whose they are; the entry in the results file has it.
    pub(crate) source: &'static str,
}

/// What the authors' scripts say, under our schedule (a warm-up and a cosine) instead of theirs; the
/// library's preset where they say nothing.
///
/// - `patch_tst`: `PatchTST_supervised/scripts/PatchTST/{etth1,etth2,illness}.sh` of Nie et al. 2023. 100
///   epochs whatever the validation says (their patience is 100), the best of which is kept; 1e-4 with
///   steps of 128 windows, on illness 2.5e-3 with 16 and patches of 24 steps, 2 apart. They have no script
///   for `exchange_rate`: it is trained as ETTh1. The model is their small one unless the strategy is
///   `accurate`.
/// - `dlinear`, `nlinear`: `scripts/EXP-LongForecasting/Linear/*.sh` of Zeng et al. 2023, which are for all
///   their linear models: 10 epochs, patience 3, the learning rate and batch of each set's.
pub(crate) fn of(
    set: &str,
    model: &str,
    horizon: usize,
    strategy: Strategy,
) -> Result<Recipe, Error> {
    let named = |training, source| Recipe {
        training,
        model: model.into(),
        source,
    };
    let of_zeng = "Zeng et al. 2023, scripts/EXP-LongForecasting/Linear";
    let of_nie = "Nie et al. 2023, PatchTST_supervised/scripts/PatchTST";
    Ok(match (model, set) {
        ("patch_tst", "ETTh1" | "ETTh2") => named(settings(100, 100, 128, 1e-4), of_nie),
        ("patch_tst", "exchange_rate") => {
            let source = "as ETTh1: Nie et al. 2023 have no script for it";
            named(settings(100, 100, 128, 1e-4), source)
        }
        ("patch_tst", "national_illness") => {
            let config = SeriesModelConfig::preset(model, strategy)?.config;
            Recipe {
                model: with_patches(config, 24, 2).into(),
                ..named(settings(100, 100, 16, 2.5e-3), of_nie)
            }
        }
        ("dlinear" | "nlinear", "ETTh1") => named(settings(10, 3, 32, 5e-3), of_zeng),
        ("dlinear" | "nlinear", "ETTh2") => named(settings(10, 3, 32, 5e-2), of_zeng),
        ("dlinear" | "nlinear", "exchange_rate") => {
            let batch = if horizon < 336 { 8 } else { 32 };
            named(settings(10, 3, batch, 5e-4), of_zeng)
        }
        ("dlinear" | "nlinear", "national_illness") => named(settings(10, 3, 32, 1e-2), of_zeng),
        _ => named(TrainingSettings::default(), "the library's preset"),
    })
}

fn settings(epochs: usize, patience: usize, batch: usize, rate: f64) -> TrainingSettings {
    TrainingSettings {
        epochs: Some(epochs),
        patience: Some(patience),
        batch_size: Some(batch),
        learning_rate: Some(rate),
        ..TrainingSettings::default()
    }
}

fn with_patches(config: SeriesModelConfig, patch_len: usize, stride: usize) -> SeriesModelConfig {
    match config {
        SeriesModelConfig::PatchTst(config) => PatchTstConfig {
            patch_len,
            stride,
            ..config
        }
        .into(),
        other => other,
    }
}
