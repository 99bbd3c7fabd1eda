//! What a run is, as a file that reproduces it.

use std::path::{Path, PathBuf};

use forge_data::{NumericTransform, ReadOptions, SplitConfig, SyntheticMarketConfig};
use forge_nn::{DeviceName, ForgeError};
use forge_train::checkpoint::check_same;
use forge_train::loss::LossConfig;
use serde::{Deserialize, Serialize};

use crate::{Error, Strategy};

/// Data, split, models and training of one run. Every field has a default; unknown keys are
/// refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExperimentConfig {
    /// CSV, Parquet or Excel file. Absent: an option chain from [`market`](Self::market).
    pub data: Option<PathBuf>,
    /// The column to predict. Default `implied_vol`.
    pub target: String,
    /// Columns that are not features.
    pub ignore: Vec<String>,
    /// Models to train, by registry name. Default `ft_transformer`, `tabular_resnet`.
    pub models: Vec<String>,
    /// Sizes and lengths. Default balanced.
    pub strategy: Strategy,
    /// Which rows are held out for the leaderboard. Absent: 20 % at random for a file, the last
    /// 20 % by date for the synthetic market.
    pub split: Option<SplitConfig>,
    /// Part of the other rows held out for early stopping, by the same rule. Default 0.15.
    pub validation_fraction: f64,
    /// Seed of everything drawn: split, weights, batches, dropout, market. Default 0.
    pub seed: u64,
    /// Most epochs. Absent: the strategy's.
    pub epochs: Option<usize>,
    /// Rows a step. Absent: the strategy's.
    pub batch_size: Option<usize>,
    /// Highest learning rate. Absent: the strategy's for the model.
    pub learning_rate: Option<f64>,
    /// The loss, on the standardised target. Default Huber with delta 1.
    pub loss: LossConfig,
    /// Average the weights (EMA) for validation and for the saved model. Absent: the strategy's.
    pub use_ema: Option<bool>,
    /// What is done to numeric columns. Absent: the strategy's.
    pub numeric: Option<NumericTransform>,
    /// Where to compute. Default `flex`.
    pub device: DeviceName,
    /// How files are read.
    pub read: ReadOptions,
    /// The synthetic market, used when there is no file. Default: 160 days of nine expiries, so
    /// that a split by date has seen many levels of volatility.
    pub market: SyntheticMarketConfig,
}

impl Default for ExperimentConfig {
    fn default() -> Self {
        Self {
            data: None,
            target: "implied_vol".into(),
            ignore: Vec::new(),
            models: vec!["ft_transformer".into(), "tabular_resnet".into()],
            strategy: Strategy::default(),
            split: None,
            validation_fraction: 0.15,
            seed: 0,
            epochs: None,
            batch_size: None,
            learning_rate: None,
            loss: LossConfig::default(),
            use_ema: None,
            numeric: None,
            device: DeviceName::Flex,
            read: ReadOptions::default(),
            market: market(),
        }
    }
}

/// Few strikes on many days teach more about later days than many strikes on few.
fn market() -> SyntheticMarketConfig {
    SyntheticMarketConfig {
        days: 160,
        weeklies: 2,
        monthlies: 4,
        quarterlies: 3,
        strikes: 24,
        ..SyntheticMarketConfig::default()
    }
}

impl ExperimentConfig {
    /// Reads a TOML file.
    ///
    /// # Errors
    /// An I/O error, or an artifact error with line and key for a file that does not fit.
    pub fn from_toml_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|e| ForgeError::io(path, e))?;
        toml::from_str(&text).map_err(|e| ForgeError::artifact(path, e).into())
    }

    /// The split where none is given: by date for the synthetic market, else at random.
    #[must_use]
    pub fn default_split(&self) -> SplitConfig {
        if self.data.is_some() {
            SplitConfig::default().with_seed(self.seed)
        } else {
            SplitConfig::Date {
                column: "date".into(),
                fraction: 0.2,
            }
        }
    }

    /// Checks that a run stored with `self` in `file` is the one that `present` asks for. Where to
    /// compute is no difference.
    ///
    /// # Errors
    /// A config error naming the first field that differs and both values.
    pub(super) fn check_resumable(&self, present: &Self, file: &Path) -> Result<(), Error> {
        let identity = |config: &Self| {
            let device = present.device;
            let config = Self {
                device,
                ..config.clone()
            };
            serde_json::to_value(config).map_err(|e| ForgeError::artifact(file, e))
        };
        Ok(check_same(&identity(self)?, &identity(present)?, file)?)
    }

    /// As TOML text.
    ///
    /// # Errors
    /// If a path is not UTF-8.
    pub fn to_toml(&self) -> Result<String, Error> {
        toml::to_string_pretty(self)
            .map_err(|e| ForgeError::config("config", e, "representable as TOML").into())
    }
}
