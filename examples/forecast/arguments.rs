//! The command line.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Parser;
use volatilityforge::data::{Horizon, SeriesConfig, SeriesTransform, SplitPart, TimeSplit};
use volatilityforge::data::{TimeColumns, TrainSpan};
use volatilityforge::forecast::ForecasterConfig;
use volatilityforge::forecast::run::{ForecastRunConfig, RunTeacher};
use volatilityforge::nn::ForgeError;
use volatilityforge::train::loss::Distillation;
use volatilityforge::{DeviceName, Error, Strategy};

/// Forecasts series several steps ahead, with quantiles, and compares models with baselines.
///
/// Without arguments: the realised variance of made-up stocks.
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    /// A file of series: CSV, Parquet or Excel.
    #[arg(long)]
    pub(crate) data: Option<PathBuf>,
    /// The column of times.
    #[arg(long, value_name = "COLUMN")]
    time: Option<String>,
    /// The column that says which series a row belongs to.
    #[arg(long, value_name = "COLUMN")]
    series: Option<String>,
    /// Columns to forecast.
    #[arg(long, value_name = "COLUMN", num_args = 1..)]
    target: Vec<String>,
    /// Columns of which only the past is known.
    #[arg(long, value_name = "COLUMN", num_args = 1..)]
    past: Vec<String>,
    /// Columns that are known for the future too.
    #[arg(long, value_name = "COLUMN", num_args = 1..)]
    known: Vec<String>,
    /// Features to make of the bars, by the name of their set, such as technical_25.
    #[arg(long, value_name = "SET")]
    features: Option<String>,
    /// Columns with one value per series.
    #[arg(long, value_name = "COLUMN", num_args = 1..)]
    fixed: Vec<String>,
    /// Columns taken as their logarithm.
    #[arg(long, value_name = "COLUMN", num_args = 1..)]
    log: Vec<String>,
    /// Columns taken as their log returns.
    #[arg(long, value_name = "COLUMN", num_args = 1..)]
    returns: Vec<String>,
    /// Steps ahead: a number of steps, or a list such as 1,5,20.
    #[arg(long, value_delimiter = ',', num_args = 1)]
    horizon: Vec<usize>,
    /// Steps that a model sees.
    #[arg(long)]
    lookback: Option<usize>,
    /// Models by name.
    #[arg(long, num_args = 1..)]
    models: Vec<String>,
    /// Sizes and training time: fast, balanced or accurate.
    #[arg(long)]
    strategy: Option<Strategy>,
    /// What a forecast is: quantiles[:0.1,0.5,0.9], regression[:mse], distribution[:student_t].
    #[arg(long)]
    objective: Option<String>,
    /// Let intervals follow what happens.
    #[arg(long)]
    adaptive: bool,
    /// Most epochs.
    #[arg(long)]
    epochs: Option<usize>,
    /// Seed [default: 0].
    #[arg(long)]
    seed: Option<u64>,
    /// The test part: a number of last steps, a fraction, or the date that it begins with.
    #[arg(long, value_name = "PART")]
    test: Option<String>,
    /// The validation part before it, likewise.
    #[arg(long, value_name = "PART")]
    validation: Option<String>,
    /// Walk forward in so many rounds of so many test steps each, such as 5x250.
    #[arg(long, value_name = "ROUNDSxSTEPS", conflicts_with = "test")]
    walk: Option<String>,
    /// A forecaster's file that the models learn from beside the targets, such as the
    /// model.safetensors of another run on the same data and split.
    #[arg(long, value_name = "FILE")]
    teacher: Option<PathBuf>,
    /// The teacher's part in the loss, 0 to 1.
    #[arg(
        long,
        value_name = "SHARE",
        default_value_t = 0.5,
        requires = "teacher"
    )]
    teacher_weight: f64,
    /// Leave the baselines out.
    #[arg(long)]
    no_baselines: bool,
    /// Where to compute: flex, wgpu, cuda, …
    #[arg(long, default_value = "flex")]
    pub(crate) device: DeviceName,
    /// Settings as TOML, see `ForecastRunConfig`, such as those of an earlier run; what the command line
    /// says goes before it. A relative `data` in it is relative to the file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Any setting by its place in the TOML, such as forecaster.series.missing=forward.
    #[arg(long, num_args = 1.., value_name = "PLACE=VALUE")]
    set: Vec<String>,
    /// The folder of the run.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Go on with the run in `--out`, with the settings in it.
    #[arg(long, requires = "out", conflicts_with_all = ["config", "set", "data", "models", "horizon", "lookback", "features", "strategy", "objective", "epochs", "walk", "test", "validation", "teacher"])]
    pub(crate) resume: bool,
}

impl Arguments {
    /// What is asked for, and the folder.
    pub(crate) fn config(&self) -> Result<(ForecastRunConfig, PathBuf), Error> {
        if let (true, Some(out)) = (self.resume, &self.out) {
            return Ok((ForecastRunConfig::of_run(out)?, out.clone()));
        }
        let mut config = self.base()?;
        self.columns(&mut config.forecaster.series);
        let forecaster = &mut config.forecaster;
        match self.horizon.as_slice() {
            [] => {}
            [steps] => forecaster.horizon = Horizon::Steps(*steps),
            steps => forecaster.horizon = Horizon::List(steps.to_vec()),
        }
        if let Some(features) = &self.features {
            forecaster.features = Some(features.parse()?);
        }
        if self.lookback.is_some() {
            forecaster.lookback = self.lookback;
        }
        if let Some(strategy) = self.strategy {
            forecaster.strategy = strategy;
        }
        if let Some(objective) = &self.objective {
            forecaster.objective = Some(objective.parse()?);
        }
        if self.adaptive {
            forecaster.adaptive = Some(Default::default());
        }
        for (columns, transform) in [
            (&self.log, SeriesTransform::Log),
            (&self.returns, SeriesTransform::Returns),
        ] {
            for column in columns {
                let scaler = forecaster.scaler.clone();
                forecaster.scaler = scaler.with_transform(column, transform);
            }
        }
        if self.epochs.is_some() {
            forecaster.training.epochs = self.epochs;
        }
        if let Some(seed) = self.seed {
            forecaster.training.seed = seed;
            config.synthetic.seed = seed;
        }
        if !self.models.is_empty() {
            config.models = self.models.iter().map(|m| m.as_str().into()).collect();
        }
        self.split(&mut config)?;
        config.baselines &= !self.no_baselines;
        if let Some(file) = &self.teacher {
            config.teacher = Some(RunTeacher {
                file: file.clone(),
                how: Distillation {
                    weight: self.teacher_weight,
                    ..Distillation::default()
                },
            });
        }
        for assignment in &self.set {
            config.set(assignment)?;
        }
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH);
        let seconds = seconds.map_or(0, |time| time.as_secs());
        let usual = || PathBuf::from(format!("runs/forecast-{seconds}"));
        Ok((config, self.out.clone().unwrap_or_else(usual)))
    }

    /// What the command line changes.
    fn base(&self) -> Result<ForecastRunConfig, Error> {
        let mut config = match (&self.config, &self.data, &self.time) {
            (Some(file), ..) => ForecastRunConfig::from_toml_file(file)?,
            (None, None, _) => return Ok(ForecastRunConfig::demo()),
            (None, Some(data), Some(time)) if !self.target.is_empty() => {
                let time = TimeColumns::from(time.as_str());
                let series = SeriesConfig::new(time, self.target.iter().cloned());
                ForecastRunConfig::of_file(data.clone(), ForecasterConfig::new(series, 24))
            }
            (None, Some(data), _) => {
                let allowed =
                    "used with --time and --target, which name its columns, or with --config";
                return Err(ForgeError::config("--data", data.display(), allowed).into());
            }
        };
        if self.data.is_some() {
            config.data.clone_from(&self.data);
        }
        Ok(config)
    }

    /// Columns that the command line names.
    fn columns(&self, series: &mut SeriesConfig) {
        if let Some(time) = &self.time {
            series.time = TimeColumns::from(time.as_str());
        }
        if self.series.is_some() {
            series.series.clone_from(&self.series);
        }
        for (named, columns) in [
            (&self.target, &mut series.targets),
            (&self.past, &mut series.past),
            (&self.known, &mut series.known),
            (&self.fixed, &mut series.fixed),
        ] {
            if !named.is_empty() {
                columns.clone_from(named);
            }
        }
    }

    fn split(&self, config: &mut ForecastRunConfig) -> Result<(), Error> {
        if let Some(walk) = &self.walk {
            let parts = walk.split_once('x');
            let numbers = parts.and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
            let (folds, steps): (usize, usize) = numbers
                .ok_or_else(|| ForgeError::config("walk", walk, "rounds x steps, such as 5x250"))?;
            config.split = TimeSplit::WalkForward {
                folds: Some(folds),
                test: steps,
                step: None,
                first_test: None,
                train: TrainSpan::Expanding,
                validation: steps,
                embargo: 0,
            };
            return Ok(());
        }
        if let TimeSplit::HoldOut {
            validation, test, ..
        } = &mut config.split
        {
            if let Some(part) = &self.test {
                *test = split_part(part);
            }
            if let Some(part) = &self.validation {
                *validation = split_part(part);
            }
        }
        Ok(())
    }
}

/// A count of steps, a fraction, or a date.
fn split_part(text: &str) -> SplitPart {
    if let Ok(steps) = text.parse() {
        return SplitPart::Steps(steps);
    }
    match text.parse() {
        Ok(fraction) => SplitPart::Fraction(fraction),
        Err(_) => SplitPart::From(text.into()),
    }
}
