//! Trains every model of a config, compares, and fills the run folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use burn::tensor::Device;
use forge_data::{
    CategoricalEncoding, FeatureSelection, PreprocessConfig, Preprocessor, Table, TargetTransform,
};
use forge_nn::ForgeError;
use forge_train::metric::RegressionMetrics;
use forge_train::schedule::ScheduleConfig;
use forge_train::{EpochRecord, Observer, StopReason};

use super::chain::smiles;
use super::summary::BaselineResult;
use super::{ExperimentConfig, ExperimentData, ModelResult, Summary};
use crate::baseline::{self, DenseColumns};
use crate::estimator::FitOptions;
use crate::report::{LossCurve, Report};
use crate::{Error, FittedRegressor, RegressorConfig, TabularRegressor};

/// Rows of `sample.csv`.
const SAMPLE_ROWS: usize = 1000;
/// Most rows that baselines train on, so that comparing takes less time and memory than training.
const BASELINE_ROWS: usize = 100_000;
/// Most points of the plot of predictions, which would else make the report as large as the table.
const PLOT_POINTS: usize = 4000;

/// What a run tells while it goes on.
#[derive(Debug)]
pub enum RunEvent<'a> {
    /// The table is read and split.
    Data(&'a ExperimentData),
    /// A model begins to train.
    ModelStarted(&'a str),
    /// A model is trained and measured; `reused` when an earlier run had done it.
    ModelFinished(&'a ModelResult, bool),
    /// A baseline begins.
    BaselineStarted(&'a str),
}

/// Makes an observer for the model of this name.
pub type ObserverMaker<'a> = Box<dyn Fn(&str) -> Box<dyn Observer> + 'a>;

/// Where a run writes and who hears of it.
pub struct RunOptions<'a> {
    /// The run folder; made if absent.
    pub out: PathBuf,
    /// Go on with what is in the folder.
    pub resume: bool,
    /// Set from outside to end after the step in progress with a checkpoint.
    pub stop: Arc<AtomicBool>,
    /// Hears of the run's stages.
    pub on_event: Box<dyn FnMut(&RunEvent<'_>) + 'a>,
    /// Makes the observer of one model's training.
    pub observer: ObserverMaker<'a>,
}

impl std::fmt::Debug for RunOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunOptions")
            .field("out", &self.out)
            .field("resume", &self.resume)
            .finish_non_exhaustive()
    }
}

/// A config, checked.
#[derive(Debug, Clone)]
pub struct Experiment {
    config: ExperimentConfig,
}

impl Experiment {
    /// Checks the config as far as it can be without the data.
    ///
    /// # Errors
    /// A config error naming the field, its value and the allowed range.
    pub fn new(config: ExperimentConfig) -> Result<Self, Error> {
        if config.models.is_empty() {
            return Err(ForgeError::config("models", "[]", "at least one model's name").into());
        }
        for (i, name) in config.models.iter().enumerate() {
            regressor(&config, name, 1)?.validate()?;
            if config.models[..i].contains(name) {
                return Err(ForgeError::config("models", name, "named once").into());
            }
        }
        Ok(Self { config })
    }

    /// Trains, measures and writes the run folder: `config.toml`, an artifact a model, the best
    /// one again as `model.safetensors`, `metrics.json`, `report.html`, `sample.csv` (hold-out
    /// rows to try predictions on) and `checkpoints/`.
    ///
    /// Returns nothing when it was stopped from outside; the folder can be resumed then.
    ///
    /// # Errors
    /// Bad data, settings that do not fit it, training that cannot go on, or a folder that cannot
    /// be written.
    pub fn run(&self, mut options: RunOptions<'_>) -> Result<Option<Summary>, Error> {
        let device = self.config.device.open()?;
        let data = ExperimentData::load(&self.config)?;
        let out = options.out.clone();
        self.open_folder(&out, options.resume)?;
        (options.on_event)(&RunEvent::Data(&data));

        let mut results = Vec::new();
        for name in &self.config.models {
            let regressor = regressor(&self.config, name, data.split.train.len())?;
            let Some(result) = self.model(name, regressor, &data, &device, &mut options)? else {
                return Ok(None);
            };
            results.push(result);
        }
        let baselines = self.baselines(&data, &mut options)?;
        let summary = self.summary(&data, results, baselines);

        let best = out.join(artifact_name(&summary.best));
        let model = FittedRegressor::load(&best, &device)?;
        model.save(out.join("model.safetensors"))?;
        let json = serde_json::to_string_pretty(&summary)
            .map_err(|e| ForgeError::artifact(out.join("metrics.json"), e))?;
        write(&out.join("metrics.json"), &json)?;
        let sample = &data.split.test[..data.split.test.len().min(SAMPLE_ROWS)];
        data.table
            .select_rows(sample)?
            .write_csv(out.join("sample.csv"))?;
        self.report(&data, &summary, &model)?
            .write(out.join("report.html"))?;
        Ok(Some(summary))
    }

    /// Makes the run folder, or checks that it holds this very run.
    fn open_folder(&self, out: &Path, resume: bool) -> Result<(), Error> {
        let path = out.join("config.toml");
        if path.exists() {
            if !resume {
                return Err(ForgeError::config(
                    "out",
                    out.display(),
                    "a new folder: this one holds a run; resume that, or name another folder",
                )
                .into());
            }
            let stored = ExperimentConfig::from_toml_file(&path)?;
            return stored.check_resumable(&self.config, &path);
        }
        std::fs::create_dir_all(out).map_err(|e| ForgeError::io(out, e))?;
        write(&path, &self.config.to_toml()?)
    }

    /// Trains one model, or takes what an earlier run of this folder left.
    fn model(
        &self,
        name: &str,
        regressor: RegressorConfig,
        data: &ExperimentData,
        device: &Device,
        options: &mut RunOptions<'_>,
    ) -> Result<Option<ModelResult>, Error> {
        let (artifact, record) = (
            options.out.join(artifact_name(name)),
            options.out.join(format!("{name}.json")),
        );
        if options.resume && artifact.exists() && record.exists() {
            let text = std::fs::read_to_string(&record).map_err(|e| ForgeError::io(&record, e))?;
            let result: ModelResult =
                serde_json::from_str(&text).map_err(|e| ForgeError::artifact(&record, e))?;
            (options.on_event)(&RunEvent::ModelFinished(&result, true));
            return Ok(Some(result));
        }
        (options.on_event)(&RunEvent::ModelStarted(name));
        let fit = FitOptions {
            observers: vec![(options.observer)(name)],
            checkpoints: Some(options.out.join("checkpoints").join(name)),
            resume: options.resume,
            stop: Some(Arc::clone(&options.stop)),
        };
        let (fitted, fit) = TabularRegressor::with_config(&self.config.target, regressor)?
            .ignore(data.ignore.iter().cloned())
            .fit_split(&data.table, &data.split, device, fit)?;
        if fit.stopped == StopReason::Interrupted || options.stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let metrics = self.measure(&fitted, data)?;
        let result = ModelResult {
            name: name.into(),
            rmse: metrics.rmse,
            mae: metrics.mae,
            r2: metrics.r2,
            seconds: fit.seconds,
            parameters: fit.parameters,
            validation_rmse: fit
                .history
                .iter()
                .filter_map(EpochRecord::score)
                .min_by(f64::total_cmp),
            epochs: fit.history.len(),
            stopped: fit.stopped,
            history: fit.history,
        };
        fitted.save(&artifact)?;
        let json = serde_json::to_string(&result).map_err(|e| ForgeError::artifact(&record, e))?;
        write(&record, &json)?;
        (options.on_event)(&RunEvent::ModelFinished(&result, false));
        Ok(Some(result))
    }

    fn measure(
        &self,
        fitted: &FittedRegressor,
        data: &ExperimentData,
    ) -> Result<RegressionMetrics, Error> {
        let rows = Some(data.split.test.as_slice());
        let actual = TargetTransform::read(&data.table, &self.config.target, rows)?;
        let predicted = fitted.predict_rows(&data.table, rows)?;
        Ok(RegressionMetrics::compute(&predicted, &actual)?)
    }

    fn baselines(
        &self,
        data: &ExperimentData,
        options: &mut RunOptions<'_>,
    ) -> Result<Vec<BaselineResult>, Error> {
        // Baselines have no use for validation rows: they train on them too.
        let mut rows = [data.split.train.as_slice(), &data.split.validation].concat();
        rows.sort_unstable();
        let rows = thinned(rows, BASELINE_ROWS);
        let mut except = data.ignore.clone();
        except.retain(|column| *column != self.config.target);
        except.push(self.config.target.clone());
        let config = PreprocessConfig {
            categorical: CategoricalEncoding::OneHot,
            ..PreprocessConfig::default()
        };
        let selection = FeatureSelection::Except(except);
        let (preprocessor, _) = Preprocessor::fit(&data.table, &selection, &rows, &config)?;
        let dense = |table: &Table, rows: &[usize]| -> Result<DenseColumns, Error> {
            let features = preprocessor.transform(table, Some(rows))?;
            Ok(DenseColumns::from_row_major(
                &features.numeric,
                features.n_numeric,
            ))
        };
        let target =
            |rows: &[usize]| TargetTransform::read(&data.table, &self.config.target, Some(rows));
        let (train, test) = (
            dense(&data.table, &rows)?,
            dense(&data.table, &data.split.test)?,
        );
        let (y_train, y_test) = (target(&rows)?, target(&data.split.test)?);
        let mut results = Vec::new();
        for baseline in baseline::all() {
            (options.on_event)(&RunEvent::BaselineStarted(baseline.name()));
            let start = Instant::now();
            let predicted = baseline.fit_predict(&train, &y_train, &test)?;
            let metrics = RegressionMetrics::compute(&predicted, &y_test)?;
            results.push(BaselineResult {
                name: baseline.name().into(),
                rmse: metrics.rmse,
                mae: metrics.mae,
                r2: metrics.r2,
                seconds: start.elapsed().as_secs_f64(),
            });
        }
        Ok(results)
    }

    fn summary(
        &self,
        data: &ExperimentData,
        mut models: Vec<ModelResult>,
        mut baselines: Vec<BaselineResult>,
    ) -> Summary {
        // The hold-out rows decide nothing: the best model is the validation rows' choice.
        let score = |m: &ModelResult| m.validation_rmse.unwrap_or(m.rmse);
        let best = models
            .iter()
            .min_by(|a, b| score(a).total_cmp(&score(b)))
            .map(|m| m.name.clone())
            .unwrap_or_default();
        models.sort_by(|a, b| a.rmse.total_cmp(&b.rmse));
        baselines.sort_by(|a, b| a.rmse.total_cmp(&b.rmse));
        Summary {
            models,
            baselines,
            best,
            target: self.config.target.clone(),
            seed: self.config.seed,
            rows: data.table.n_rows(),
            train_rows: data.split.train.len(),
            baseline_rows: baseline_rows(data),
            validation_rows: data.split.validation.len(),
            test_rows: data.split.test.len(),
            split: data.rule.to_string(),
            synthetic: self.config.data.is_none(),
            version: env!("CARGO_PKG_VERSION").into(),
        }
    }

    fn report(
        &self,
        data: &ExperimentData,
        summary: &Summary,
        model: &FittedRegressor,
    ) -> Result<Report, Error> {
        let test = &data.split.test;
        let actual = TargetTransform::read(&data.table, &self.config.target, Some(test))?;
        let predicted = model.predict_rows(&data.table, Some(test))?;
        let curves = summary.models.iter().map(|m| LossCurve {
            model: m.name.clone(),
            train: m
                .history
                .iter()
                .map(|e| (e.epoch as f64, e.train_loss))
                .collect(),
            validation: m
                .history
                .iter()
                .filter_map(|e| Some((e.epoch as f64, e.score()?)))
                .collect(),
        });
        let title = if summary.synthetic {
            format!("{} on a SYNTHETIC option market", summary.target)
        } else {
            format!("{} from data", summary.target)
        };
        Ok(Report {
            title,
            notes: data.notes.clone(),
            leaderboard: summary.leaderboard(),
            target: summary.target.clone(),
            curves: curves.collect(),
            predictions: thinned(actual.into_iter().zip(predicted).collect(), PLOT_POINTS),
            smiles: smiles(model, &data.table, test)?,
        })
    }
}

/// The strategy's settings for one model, with what the config says instead.
fn regressor(
    config: &ExperimentConfig,
    model: &str,
    rows: usize,
) -> Result<RegressorConfig, Error> {
    let mut regressor = RegressorConfig::preset_for(model, config.strategy, rows)?;
    regressor.loss = config.loss.clone();
    regressor.validation_fraction = config.validation_fraction;
    if let Some(numeric) = config.numeric {
        regressor.preprocess.numeric = numeric;
    }
    let training = &mut regressor.training;
    training.seed = config.seed;
    if let Some(epochs) = config.epochs {
        training.epochs = epochs;
    }
    if let Some(batch_size) = config.batch_size {
        training.batch_size = batch_size;
    }
    match config.use_ema {
        Some(false) => training.ema = None,
        Some(true) if training.ema.is_none() => training.ema = Some(Default::default()),
        _ => {}
    }
    if let (Some(lr), ScheduleConfig::CosineWarmup(schedule)) =
        (config.learning_rate, &mut training.schedule)
    {
        schedule.base_lr = lr;
    }
    Ok(regressor)
}

/// At most `most` of `all`, evenly spread.
fn thinned<T>(all: Vec<T>, most: usize) -> Vec<T> {
    let step = all.len().div_ceil(most).max(1);
    all.into_iter().step_by(step).collect()
}

fn artifact_name(model: &str) -> String {
    format!("{model}.safetensors")
}

/// How many rows the baselines train on.
fn baseline_rows(data: &ExperimentData) -> usize {
    let rows = data.split.train.len() + data.split.validation.len();
    rows.div_ceil(rows.div_ceil(BASELINE_ROWS).max(1))
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    std::fs::write(path, text).map_err(|e| ForgeError::io(path, e).into())
}
