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
/// with the number of those that are done: `gamma^max(e - flat, 0)` of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decay {
    flat: usize,
    gamma: f64,
}

impl Decay {
    const CONSTANT: Self = Self {
        flat: usize::MAX,
        gamma: 1.0,
    };

    /// Over a run of so many epochs.
    fn schedule(self, epochs: usize) -> ScheduleConfig {
        let constant = ScheduleConfig::Constant(Constant::default());
        // One epoch more is flat: a fall comes at the end of the first epoch of its part.
        if epochs <= self.flat.saturating_add(1) {
            return constant;
        }
        let of = |part: usize, whole: usize| Some(part as f64 / whole as f64);
        let part = |share, schedule| SchedulePart {
            steps: None,
            share,
            schedule,
        };
        let falling = ScheduleConfig::Step(StepDecay {
            share: of(1, epochs - self.flat),
            gamma: self.gamma,
            ..StepDecay::default()
        });
        ScheduleConfig::Sequential(Sequential {
            parts: vec![part(of(self.flat, epochs), constant), part(None, falling)],
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
/// - `fits`: `scripts/FITS/etth1_best.sh` of Xu et al. 2024: 100 epochs, patience 20, steps of 128 windows (twice
///   what the script says), 5e-4, 0.95 of it after every epoch; look-back 360, on ETTh2 720.
/// - `sparse_tsf`: `scripts/SparseTSF/linear/*.sh` of Lin et al. 2024: 30 epochs, patience 5, steps of 256 windows,
///   0.02 (ETTh2: 0.03), 0.8 of it after every epoch from the fourth on; look-back 720.
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
        decay: Some(Decay {
            flat: 1,
            gamma: 0.5,
        }),
        ..named(
            training,
            "Zeng et al. 2023, scripts/EXP-LongForecasting/Linear",
        )
    };
    let of_nie = "Nie et al. 2023, PatchTST_supervised/scripts/PatchTST";
    Ok(match (model, set) {
        ("patch_tst", "ETTh1" | "ETTh2") => Recipe {
            decay: Some(Decay {
                flat: 3,
                gamma: 0.9,
            }),
            ..named(settings(100, 100, 128, 1e-4), of_nie)
        },
        ("patch_tst", "exchange_rate") => {
            let source = "as ETTh1: Nie et al. 2023 have no script for it";
            Recipe {
                decay: Some(Decay {
                    flat: 3,
                    gamma: 0.9,
                }),
                ..named(settings(100, 100, 128, 1e-4), source)
            }
        }
        ("patch_tst", "national_illness") => {
            let config = SeriesModelConfig::preset(model, strategy)?.config;
            Recipe {
                model: with_patches(config, 24, 2).into(),
                decay: Some(Decay::CONSTANT),
                ..named(settings(100, 100, 16, 2.5e-3), of_nie)
            }
        }
        ("fits", "ETTh1" | "ETTh2") => Recipe {
            decay: Some(Decay {
                flat: 1,
                gamma: 0.95,
            }),
            ..named(settings(100, 20, 128, 5e-4), "Xu et al. 2024, scripts/FITS")
        },
        ("sparse_tsf", "ETTh1" | "ETTh2") => {
            let rate = if set == "ETTh1" { 0.02 } else { 0.03 };
            let source = "Lin et al. 2024, scripts/SparseTSF/linear";
            Recipe {
                decay: Some(Decay {
                    flat: 3,
                    gamma: 0.8,
                }),
                ..named(settings(30, 5, 256, rate), source)
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
