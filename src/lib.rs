#![doc = include_str!("../README.md")]

mod artifact;
#[cfg(feature = "baselines")]
pub mod baseline;
#[cfg(feature = "experiment")]
pub mod chain;
mod ensemble;
mod error;
mod estimator;
#[cfg(feature = "experiment")]
pub mod experiment;
pub mod forecast;
mod hashing;
pub mod prediction;
pub mod prior_fitting;
mod refit;
#[cfg(feature = "report")]
pub mod report;
#[cfg(feature = "experiment")]
mod run_folder;
mod saved_model;
mod settings;
mod worker;

pub use burn;
pub use error::Error;
pub use estimator::{
    Calibration, CalibrationConfig, ChangedPreset, ColumnImportance, ContinualEstimator,
    DropoutPasses, EstimatorConfig, FitOptions, FitReport, FittedClassifier, FittedModel,
    FittedRegressor, Inference, ModelChoice, NoisePasses, NoteListener, PermutationConfig,
    PretrainedChoice, TabularClassifier, TabularEstimator, TabularRegressor, Task, TasksBy,
    Teacher, TrainingSettings,
};
pub use forge_data as data;
pub use forge_data::{Column, ReadOptions, Table, read_table};
pub use forge_files as files;
pub use forge_meta as meta;
pub use forge_models as models;
pub use forge_models::Strategy;
pub use forge_nn as nn;
pub use forge_nn::DeviceName;
pub use forge_train as train;
pub use refit::Refit;
pub use saved_model::SavedModel;

/// The guides: their code is compiled and run with the tests of the documentation.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../docs/data.md")]
    struct Data;
    #[doc = include_str!("../docs/preprocessing.md")]
    struct Preprocessing;
    #[doc = include_str!("../docs/tasks.md")]
    struct Tasks;
    #[doc = include_str!("../docs/models.md")]
    struct Models;
    #[doc = include_str!("../docs/models/choosing.md")]
    struct Choosing;
    #[doc = include_str!("../docs/building.md")]
    struct Building;
    #[doc = include_str!("../docs/losses.md")]
    struct Losses;
    #[doc = include_str!("../docs/distillation.md")]
    struct Distillation;
    #[doc = include_str!("../docs/several_predictions.md")]
    struct SeveralPredictions;
    #[doc = include_str!("../docs/performance.md")]
    struct Performance;
    #[doc = include_str!("../docs/ablation.md")]
    struct Ablation;
    #[doc = include_str!("../docs/results.md")]
    struct Results;
    #[doc = include_str!("../docs/averaging.md")]
    struct Averaging;
    #[doc = include_str!("../docs/precision.md")]
    struct Precision;
    #[doc = include_str!("../docs/augmentation.md")]
    struct Augmentation;
    #[doc = include_str!("../docs/forecasting.md")]
    struct Forecasting;
    #[doc = include_str!("../docs/functional.md")]
    struct Functional;
    #[doc = include_str!("../docs/uncertainty.md")]
    struct Uncertainty;
    #[doc = include_str!("../docs/continual.md")]
    struct Continual;
    #[doc = include_str!("../docs/architecture_search.md")]
    struct ArchitectureSearch;
}
