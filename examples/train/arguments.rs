//! The command line.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Parser;
use volatilityforge::baseline::BaselineChoice;
use volatilityforge::data::{NumericTransform, SplitConfig};
use volatilityforge::experiment::{ExperimentConfig, TaskChoice};
use volatilityforge::nn::ForgeError;
use volatilityforge::train::objective::ObjectiveConfig;
use volatilityforge::{DeviceName, Error, ModelChoice, Strategy, chain};

/// Trains models on a table and compares them with baselines. Without --data: on a synthetic
/// option chain.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// CSV, Parquet or Excel file.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Column to predict, or several columns of numbers.
    #[arg(long, num_args = 1.., value_name = "COLUMN")]
    target: Vec<String>,
    /// auto, regression or classification [default: auto: classes where the target is text or few
    /// integers].
    #[arg(long)]
    task: Option<TaskChoice>,
    /// Columns that are not features. They are not read, whatever they hold.
    #[arg(long, num_args = 1.., value_name = "COLUMN")]
    ignore: Vec<String>,
    /// Pass over rows without a target instead of refusing them.
    #[arg(long)]
    skip_missing_target: bool,
    /// Column of sample weights.
    #[arg(long, value_name = "COLUMN")]
    weights: Option<String>,
    /// Models by name [default: ft_transformer tabm].
    #[arg(long, num_args = 1.., value_name = "NAME")]
    models: Vec<String>,
    /// Weights for the one model in --models, which predicts from labelled rows (tabpfn_v1, tabicl): a
    /// safetensors file. Nothing is trained unless --epochs says for how long.
    #[arg(long, value_name = "FILE", requires = "models")]
    pretrained: Option<PathBuf>,
    /// What to compare with: all, none, or names with commas between: mean, ridge, boosting; for
    /// classes majority, logistic, boosting [default: all].
    #[arg(long, value_name = "NAME,NAME")]
    baselines: Option<BaselineChoice>,
    /// random, stratified:COLUMN, date:COLUMN or group:COLUMN [default: random, classes stratified;
    /// by date for the synthetic chain].
    #[arg(long)]
    split: Option<SplitConfig>,
    /// Let the column of a split by date or group be a feature.
    #[arg(long)]
    keep_split_column: bool,
    /// Part of the rows held out [default: 0.2].
    #[arg(long)]
    test_fraction: Option<f64>,
    /// fast, balanced or accurate [default: balanced].
    #[arg(long)]
    strategy: Option<Strategy>,
    /// regression[:LOSS], quantiles:0.1,0.5,0.9, distribution[:student_t], bars[:buckets], binary[:balanced] or
    /// multiclass[:balanced] [default: by the target].
    #[arg(long)]
    objective: Option<ObjectiveConfig>,
    /// Most epochs [default: the strategy's].
    #[arg(long)]
    epochs: Option<usize>,
    /// Rows per step [default: the strategy's].
    #[arg(long)]
    batch_size: Option<usize>,
    /// Highest learning rate [default: the strategy's].
    #[arg(long)]
    learning_rate: Option<f64>,
    /// Average the weights: --ema, --ema=false [default: the strategy's].
    #[arg(long, num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    ema: Option<bool>,
    /// Networks per model whose predictions are averaged [default: 1].
    #[arg(long, value_name = "NETWORKS")]
    ensemble: Option<usize>,
    /// Train again on training and validation rows together, for as many epochs as were best.
    #[arg(long)]
    refit: bool,
    /// Put predictions right by the validation rows: probabilities by a temperature, numbers by quantiles that
    /// hold their share [default of the quantiles: 0.05 0.95].
    #[arg(long, num_args = 0.., value_name = "QUANTILE")]
    calibrate: Option<Vec<f64>>,
    /// Numeric columns: none, standardize or quantile [default: standardize].
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
    /// Settings as TOML, see `ExperimentConfig`; what the command line says goes before it. A
    /// relative `data` in it is relative to the file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Any setting by its place in the TOML, such as estimator.training.weight_decay=0.01.
    #[arg(long, num_args = 1.., value_name = "PLACE=VALUE")]
    set: Vec<String>,
    /// Also write event files for TensorBoard, into a folder per model under this one.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) tensorboard: Option<PathBuf>,
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
        let mut config = match &self.config {
            Some(file) => ExperimentConfig::from_toml_file(file)?,
            None if self.resume => ExperimentConfig::of_run(&out)?,
            None if self.data.is_some() => ExperimentConfig::default(),
            None => chain::experiment(),
        };
        self.apply(&mut config)?;
        // Of a chain: what tells quotes from rows that are none is looked at, feature or not.
        let is_quote = |name: &&String| {
            chain::QUOTE_COLUMNS
                .iter()
                .any(|quote| quote.eq_ignore_ascii_case(name))
        };
        for name in config.ignore.iter().filter(is_quote) {
            if !config.watch.contains(name) {
                config.watch.push(name.clone());
            }
        }
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
        if self.data.is_some() {
            config.data.clone_from(&self.data);
            config.market = None;
        }
        if !self.target.is_empty() {
            config.target.clone_from(&self.target);
        }
        set(&mut config.task, &self.task);
        if !self.ignore.is_empty() {
            config.ignore.clone_from(&self.ignore);
        }
        config.skip_missing_target |= self.skip_missing_target;
        config.keep_split_column |= self.keep_split_column;
        set_some(&mut config.weights, &self.weights);
        if !self.models.is_empty() {
            config.models = self
                .models
                .iter()
                .map(|name| name.as_str().into())
                .collect();
        }
        if let Some(weights) = &self.pretrained {
            let [name] = self.models.as_slice() else {
                let found = self.models.join(" ");
                return Err(ForgeError::config("--models", found, "one with --pretrained").into());
            };
            config.models = vec![ModelChoice::pretrained(name, weights)];
        }
        set(&mut config.baselines, &self.baselines);
        set(&mut config.device, &self.device);
        set_some(&mut config.read.sheet, &self.sheet);
        let estimator = &mut config.estimator;
        set(&mut estimator.strategy, &self.strategy);
        set_some(&mut estimator.objective, &self.objective);
        set(&mut estimator.preprocess.numeric, &self.numeric);
        set(&mut estimator.ensemble, &self.ensemble);
        estimator.refit |= self.refit;
        if let Some(quantiles) = &self.calibrate {
            let calibration = estimator.calibration.get_or_insert_default();
            set(
                &mut calibration.quantiles,
                &Some(quantiles.clone()).filter(|q| !q.is_empty()),
            );
        }
        let training = &mut estimator.training;
        set_some(&mut training.epochs, &self.epochs);
        set_some(&mut training.batch_size, &self.batch_size);
        set_some(&mut training.learning_rate, &self.learning_rate);
        set_some(&mut training.ema, &self.ema);
        for assignment in &self.set {
            config.set(assignment)?;
        }
        if self.split.is_some() {
            let seed = config.estimator.training.seed;
            config.split = self.split.clone().map(|split| split.with_seed(seed));
        }
        if let Some(seed) = self.seed {
            config.estimator.training.seed = seed;
            config.split = config.split.take().map(|split| split.with_seed(seed));
            if let Some(market) = &mut config.market {
                market.seed = seed;
            }
        }
        if let Some(fraction) = self.test_fraction {
            let seed = config.estimator.training.seed;
            let random = SplitConfig::default().with_seed(seed);
            let split = config.split.take().unwrap_or(random);
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
