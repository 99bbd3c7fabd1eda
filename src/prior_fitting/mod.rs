//! Fitting an in-context model to a prior: trained on tables that are drawn, each seen once, it
//! predicts tables that it has never seen from the labelled rows in its input (Müller et al. 2022,
//! arXiv 2112.10510; Hollmann et al. 2023, arXiv 2207.01848).
//!
//! ```
//! use volatilityforge::DeviceName;
//! use volatilityforge::data::TablePriorConfig;
//! use volatilityforge::models::ModelConfig;
//! use volatilityforge::prior_fitting::PriorFittingConfig;
//!
//! let prior = TablePriorConfig { rows: 16, max_features: 4, max_classes: 3, ..Default::default() };
//! let mut config = PriorFittingConfig::new(ModelConfig::narrow("tabpfn_v1")?, prior);
//! (config.tables, config.validation_tables) = (8, 4);
//! (config.trainer.epochs, config.trainer.batch_size) = (1, 4);
//! let outcome = config.fit(&DeviceName::Flex.open()?, Default::default())?;
//! assert_eq!(outcome.steps, 2);
//! // The weights are a file that every estimator takes: `pretrained = "weights.safetensors"`.
//! let weights = config.pretrained(outcome.module)?;
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("weights.safetensors");
//! weights.save(path)?;
//! # Ok::<(), volatilityforge::Error>(())
//! ```

mod config;
mod task;
mod validation;

pub use config::PriorFittingConfig;
pub use task::PriorTask;
