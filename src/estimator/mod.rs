//! From a table to a trained model and back to a table, in three lines.

mod choice;
mod classifier;
mod context;
mod estimator_config;
mod fit;
mod fit_notes;
mod fitted_classifier;
mod fitted_model;
mod fitted_regressor;
mod importance;
mod of_one_task;
mod options;
mod permutation;
mod predict;
mod prediction_columns;
mod preset;
mod reading;
mod regressor;
mod table_task;
mod task;
mod training_settings;

pub use choice::ModelChoice;
pub use classifier::TabularClassifier;
pub(crate) use context::StoredContext;
pub use estimator_config::EstimatorConfig;
pub use fit::TabularEstimator;
pub(crate) use fit_notes::lines;
pub use fitted_classifier::FittedClassifier;
pub use fitted_model::FittedModel;
pub use fitted_regressor::FittedRegressor;
pub use importance::ColumnImportance;
pub use options::{FitOptions, FitReport, NoteListener};
pub use permutation::PermutationConfig;
pub use regressor::TabularRegressor;
pub use task::Task;
pub use training_settings::TrainingSettings;
