#![doc = include_str!("../README.md")]

mod artifact;
#[cfg(feature = "baselines")]
pub mod baseline;
#[cfg(feature = "experiment")]
pub mod chain;
mod error;
mod estimator;
#[cfg(feature = "experiment")]
pub mod experiment;
#[cfg(feature = "report")]
pub mod report;

pub use burn;
pub use error::Error;
pub use estimator::{
    EstimatorConfig, FitOptions, FitReport, FittedClassifier, FittedModel, FittedRegressor,
    ModelChoice, TabularClassifier, TabularEstimator, TabularRegressor, Task, TrainingSettings,
};
pub use forge_data as data;
pub use forge_data::{Column, ReadOptions, Table, read_table};
pub use forge_meta as meta;
pub use forge_models as models;
pub use forge_models::Strategy;
pub use forge_nn as nn;
pub use forge_nn::DeviceName;
pub use forge_train as train;
