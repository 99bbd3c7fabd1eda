//! The command line.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Parser;
use volatilityforge::data::{NumericTransform, SplitConfig};
use volatilityforge::experiment::ExperimentConfig;
use volatilityforge::train::loss::LossConfig;
use volatilityforge::{DeviceName, Error, Strategy};

/// Trains models on a table and compares them with baselines. Without --data: on a synthetic
/// option chain.
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    /// CSV, Parquet or Excel file.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Column to predict [default: implied_vol].
    #[arg(long)]
    target: Option<String>,
    /// Columns that are not features.
    #[arg(long, num_args = 1.., value_name = "COLUMN")]
    ignore: Vec<String>,
    /// Models by name [default: ft_transformer tabular_resnet].
    #[arg(long, num_args = 1.., value_name = "NAME")]
    models: Vec<String>,
    /// fast, balanced or accurate [default: balanced].
    #[arg(long)]
    strategy: Option<Strategy>,
    /// random, date:COLUMN or group:COLUMN [default: random; by date for the synthetic chain].
    #[arg(long)]
    split: Option<SplitConfig>,
    /// Part of the rows held out [default: 0.2].
    #[arg(long)]
    test_fraction: Option<f64>,
    /// Most epochs [default: the strategy's].
    #[arg(long)]
    epochs: Option<usize>,
    /// Rows a step [default: the strategy's].
    #[arg(long)]
    batch_size: Option<usize>,
    /// Highest learning rate [default: the strategy's].
    #[arg(long)]
    learning_rate: Option<f64>,
    /// huber, mse, mae, log_cosh, …, with parameters after a colon: huber:0.5 [default: huber].
    #[arg(long)]
    loss: Option<LossConfig>,
    /// Average the weights: --use-ema, --use-ema=false [default: the strategy's].
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    use_ema: Option<bool>,
    /// Numeric columns: none, standardize or quantile [default: the model's].
    #[arg(long, value_parser = numeric)]
    numeric: Option<NumericTransform>,
    /// flex, ndarray, cpu, wgpu, vulkan, metal, cuda or rocm [default: flex].
    #[arg(long)]
    device: Option<DeviceName>,
    /// Seed of split, weights, batches and market [default: 0].
    #[arg(long)]
    seed: Option<u64>,
    /// Sheet of an Excel file [default: the first].
    #[arg(long)]
    sheet: Option<String>,
    /// Settings as TOML, those of reading files (`[read]`, see docs/data.md) and of the synthetic
    /// market (`[market]`) among them; what the command line says goes before it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of the run [default: a new one under runs/].
    #[arg(long)]
    out: Option<PathBuf>,
    /// Go on with the run in --out, with the settings it was started with.
    #[arg(long, requires = "out")]
    pub(crate) resume: bool,
}

impl Arguments {
    /// The run's config and folder.
    pub(crate) fn config(&self) -> Result<(ExperimentConfig, PathBuf), Error> {
        let out = self.out.clone().unwrap_or_else(new_folder);
        let stored = out.join("config.toml");
        let mut config = match &self.config {
            Some(file) => ExperimentConfig::from_toml_file(file)?,
            None if self.resume && stored.exists() => ExperimentConfig::from_toml_file(&stored)?,
            None => ExperimentConfig::default(),
        };
        self.apply(&mut config)?;
        Ok((config, out))
    }

    fn apply(&self, config: &mut ExperimentConfig) -> Result<(), Error> {
        fn set<T: Clone>(field: &mut T, value: &Option<T>) {
            if let Some(value) = value {
                field.clone_from(value);
            }
        }
        fn set_some<T: Clone>(field: &mut Option<T>, value: &Option<T>) {
            if value.is_some() {
                field.clone_from(value);
            }
        }
        set_some(&mut config.data, &self.data);
        set(&mut config.target, &self.target);
        set(&mut config.strategy, &self.strategy);
        set_some(&mut config.epochs, &self.epochs);
        set_some(&mut config.batch_size, &self.batch_size);
        set_some(&mut config.learning_rate, &self.learning_rate);
        set(&mut config.loss, &self.loss);
        set_some(&mut config.use_ema, &self.use_ema);
        set_some(&mut config.numeric, &self.numeric);
        set(&mut config.device, &self.device);
        set(&mut config.seed, &self.seed);
        set_some(&mut config.read.sheet, &self.sheet);
        if !self.ignore.is_empty() {
            config.ignore.clone_from(&self.ignore);
        }
        if !self.models.is_empty() {
            config.models.clone_from(&self.models);
        }
        if let Some(split) = &self.split {
            config.split = Some(split.clone().with_seed(config.seed));
        }
        if let Some(fraction) = self.test_fraction {
            let split = config
                .split
                .take()
                .unwrap_or_else(|| config.default_split());
            config.split = Some(split.with_fraction(fraction));
        }
        Ok(())
    }
}

fn numeric(text: &str) -> Result<NumericTransform, String> {
    match text {
        "none" => Ok(NumericTransform::None),
        "standardize" => Ok(NumericTransform::Standardize),
        "quantile" => Ok(NumericTransform::Quantile),
        _ => Err("must be none, standardize or quantile".into()),
    }
}

/// Named by the second, so that runs sort by time.
fn new_folder() -> PathBuf {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    PathBuf::from("runs").join(now.map_or(0, |t| t.as_secs()).to_string())
}
