//! How models are built and trained where their authors say so for a set.

use volatilityforge::forecast::SeriesModelChoice;
use volatilityforge::models::{PatchTstConfig, SeriesModelConfig};
use volatilityforge::nn::ForgeError;
use volatilityforge::train::TrainerConfig;
use volatilityforge::train::optimizer::{AdamConfig, OptimizerConfig};
use volatilityforge::train::schedule::{
    Constant, ScheduleConfig, SchedulePart, Sequential, StepDecay,
};
use volatilityforge::{Error, Strategy, TrainingSettings};

/// Epochs, patience, learning rate and rows of a step, and the model's sizes.
#[derive(Debug)]
pub(crate) struct Recipe {
    pub(crate) training: TrainingSettings,
    pub(crate) model: SeriesModelChoice,
    /// How their learning rate falls, where they say so.
    pub(crate) decay: Option<Decay>,
    /// Whose they are; the entry in the results file has it.
    pub(crate) source: &'static str,
}

/// The learning rate by epoch `e`, from 0, in their `adjust_learning_rate`, which is called after an epoch
/// with the number of those that are done.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Decay {
    /// `type1`: half of it after every epoch from the second on, `2^-max(e - 1, 0)`.
    Halved,
    /// `type3`: a tenth less after every epoch from the fourth on, `0.9^max(e - 3, 0)`.
    TenthLess,
    /// `constant`.
    Constant,
}

impl Decay {
    /// Over a run of so many epochs.
    fn schedule(self, epochs: usize) -> ScheduleConfig {
        let (flat, gamma) = match self {
            Self::Halved => (1, 0.5),
            Self::TenthLess => (3, 0.9),
            Self::Constant => (epochs, 1.0),
        };
        let constant = ScheduleConfig::Constant(Constant::default());
        // One epoch more is flat: a fall comes at the end of the first epoch of its part.
        if epochs <= flat + 1 {
            return constant;
        }
        let of = |part: usize, whole: usize| Some(part as f64 / whole as f64);
        let part = |share, schedule| SchedulePart {
            steps: None,
            share,
            schedule,
        };
        let falling = ScheduleConfig::Step(StepDecay {
            share: of(1, epochs - flat),
            gamma,
            ..StepDecay::default()
        });
        ScheduleConfig::Sequential(Sequential {
            parts: vec![part(of(flat, epochs), constant), part(None, falling)],
        })
    }
}

impl Recipe {
    /// Everything as the authors have it: Adam without weight decay, their learning rate by epoch, no
    /// average of weights, gradients as long as they are.
    pub(crate) fn of_authors(&self, training: &TrainingSettings) -> Result<TrainerConfig, Error> {
        let decay = self.decay.ok_or_else(|| {
            let allowed = "a model and a set that its authors have a script for";
            ForgeError::config("authors", self.source, allowed)
        })?;
        Ok(TrainerConfig {
            optimizer: OptimizerConfig::Adam(AdamConfig::default()),
            schedule: decay.schedule(training.epochs.unwrap_or(1)),
            ..TrainerConfig::default()
        })
    }
}

/// What the authors' scripts say, under our optimiser and schedule (a warm-up and a cosine) unless theirs
/// are asked for; the library's preset where they say nothing.
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
        decay: None,
        source,
    };
    let halved = |training| Recipe {
        decay: Some(Decay::Halved),
        ..named(
            training,
            "Zeng et al. 2023, scripts/EXP-LongForecasting/Linear",
        )
    };
    let of_nie = "Nie et al. 2023, PatchTST_supervised/scripts/PatchTST";
    Ok(match (model, set) {
        ("patch_tst", "ETTh1" | "ETTh2") => Recipe {
            decay: Some(Decay::TenthLess),
            ..named(settings(100, 100, 128, 1e-4), of_nie)
        },
        ("patch_tst", "exchange_rate") => {
            let source = "as ETTh1: Nie et al. 2023 have no script for it";
            Recipe {
                decay: Some(Decay::TenthLess),
                ..named(settings(100, 100, 128, 1e-4), source)
            }
        }
        ("patch_tst", "national_illness") => {
            let config = SeriesModelConfig::preset(model, strategy)?.config;
            Recipe {
                model: with_patches(config, 24, 2).into(),
                decay: Some(Decay::Constant),
                ..named(settings(100, 100, 16, 2.5e-3), of_nie)
            }
        }
        ("dlinear" | "nlinear", "ETTh1") => halved(settings(10, 3, 32, 5e-3)),
        ("dlinear" | "nlinear", "ETTh2") => halved(settings(10, 3, 32, 5e-2)),
        ("dlinear" | "nlinear", "exchange_rate") => {
            let batch = if horizon < 336 { 8 } else { 32 };
            halved(settings(10, 3, batch, 5e-4))
        }
        ("dlinear" | "nlinear", "national_illness") => halved(settings(10, 3, 32, 1e-2)),
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
