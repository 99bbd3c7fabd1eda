//! Trains every model of a config, compares, and fills the run folder.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::tensor::Device;
use forge_nn::ForgeError;
use forge_train::{Observer, StopReason};

use super::model_record::{Left, ModelRecord};
use super::notes::Notes;
use super::{
    BaselineResult, ExperimentConfig, ExperimentData, FailedModel, ModelResult, Summary, baselines,
    fingerprint, importance, pages,
};
use crate::estimator::lines;
use crate::report::{Section, better_first};
use crate::run_folder::{FirstStep, RunFolder};
use crate::{Error, FitOptions, FittedModel, ModelChoice, TabularEstimator};

/// Rows of `sample.csv`.
const SAMPLE_ROWS: usize = 1000;

/// What a run tells while it goes on.
#[derive(Debug)]
pub enum RunEvent<'a> {
    /// The table is read and split.
    Data(&'a ExperimentData),
    /// A line about the data that a person should know: what preprocessing left out, what of the
    /// held-out rows training did not have. Each line once, whatever the number of models.
    Note(&'a str),
    /// What an earlier run left of a model is damaged: it is made again from its last checkpoint.
    Damaged(&'a str, &'a Error),
    /// A model begins to train.
    ModelStarted(&'a str),
    /// A model is trained and measured; `reused` when an earlier run had done it.
    ModelFinished(&'a ModelResult, bool),
    /// A model's training cannot go on, and the run does without it: only where there are others.
    ModelFailed(&'a str, &'a Error),
    /// A baseline begins.
    BaselineStarted(&'a str),
    /// A baseline cannot be fitted to these data, and is left out.
    BaselineFailed(&'a str, &'a Error),
}

/// Makes an observer for the model of this name.
pub type ObserverMaker<'a> = Box<dyn Fn(&str) -> Box<dyn Observer> + 'a>;

/// Makes a section of the report from the best model, where the data have what it needs.
pub type SectionMaker<'a> =
    Box<dyn Fn(&FittedModel, &ExperimentData) -> Result<Option<Section>, Error> + 'a>;

/// Where a run writes and who hears of it.
pub struct RunOptions<'a> {
    /// The run folder; made if absent.
    pub out: PathBuf,
    /// Go on with what is in the folder.
    pub resume: bool,
    /// Set from outside to end after the step in progress with a checkpoint, or after the tree that
    /// boosting grows.
    pub stop: Arc<AtomicBool>,
    /// Hears of the run's stages.
    pub on_event: Box<dyn FnMut(&RunEvent<'_>) + 'a>,
    /// Makes the observer of one model's training.
    pub observer: ObserverMaker<'a>,
    /// What the report shows beyond what fits every table.
    pub sections: Vec<SectionMaker<'a>>,
}

impl std::fmt::Debug for RunOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunOptions")
            .field("out", &self.out)
            .field("resume", &self.resume)
            .finish_non_exhaustive()
    }
}

/// What the models of a run have in common.
struct Common<'a> {
    data: &'a ExperimentData,
    /// Of table and split.
    fingerprint: String,
    folder: &'a RunFolder,
    device: &'a Device,
    /// Set by the first step that any model trains.
    trained: Arc<AtomicBool>,
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
    pub fn new(mut config: ExperimentConfig) -> Result<Self, Error> {
        config.validate()?;
        if let Some(data) = &mut config.data {
            // Kept in the run's folder, where a relative path would lead elsewhere.
            *data = std::path::absolute(&*data).map_err(|e| ForgeError::io(&*data, e))?;
        }
        for model in &mut config.models {
            model.move_weights(|path| {
                std::path::absolute(path).map_err(|e| ForgeError::io(path, e))
            })?;
        }
        Ok(Self { config })
    }

    /// Trains, measures and writes the run folder: `config.toml`, an artifact and a `{model}.json`
    /// per model, the best one again as `model.safetensors`, `metrics.json`, `report.html`,
    /// `sample.csv` (hold-out rows to try predictions on), `metrics/{model}.jsonl`
    /// ([`MetricsLog`](forge_train::log::MetricsLog)) and `checkpoints/`.
    ///
    /// Every file is there whole or not at all. The folder has one owner while the run goes on.
    /// Nothing is written before data and settings of all models have been checked, and a start
    /// that fails before its first step leaves nothing.
    ///
    /// Returns nothing when it was stopped from outside; the folder can be resumed then.
    ///
    /// # Errors
    /// Bad data naming file, row and column, settings that do not fit it, training that cannot go
    /// on (of several models only where that is so of all: [`Summary::failed`] has the others), or
    /// a folder that cannot be written, is another run's or is in use. When resuming: a folder that
    /// holds no run, saying what is missing; settings or data other than those that it was started
    /// with.
    pub fn run(&self, options: RunOptions<'_>) -> Result<Option<Summary>, Error> {
        self.run_in(options)
            .map_err(|error| match &self.config.data {
                Some(path) => error.in_file(path),
                None => error,
            })
    }

    fn run_in(&self, mut options: RunOptions<'_>) -> Result<Option<Summary>, Error> {
        let device = self.config.device.open()?;
        let data = ExperimentData::load(&self.config)?;
        (options.on_event)(&RunEvent::Data(&data));
        let folder = if options.resume {
            RunFolder::resume(&options.out, &self.config)?
        } else {
            // The first is checked when it begins, before its first step: until then the folder is
            // given up on an error.
            for model in self.config.models.iter().skip(1) {
                self.estimator(model, &data)?
                    .check(&data.table, &data.split)?;
            }
            RunFolder::begin(&options.out, &self.config)?
        };
        let trained = Arc::new(AtomicBool::new(options.resume));
        let common = Common {
            data: &data,
            fingerprint: fingerprint::of(&data, &self.config),
            folder: &folder,
            device: &device,
            trained: Arc::clone(&trained),
        };
        let result = self.run_models(&common, &mut options);
        if result.is_err() && !trained.load(Ordering::Relaxed) {
            folder.abandon();
        }
        result
    }

    fn run_models(
        &self,
        common: &Common<'_>,
        options: &mut RunOptions<'_>,
    ) -> Result<Option<Summary>, Error> {
        let Common {
            data,
            folder,
            device,
            ..
        } = common;
        let (mut results, mut failed) = (Vec::new(), Vec::new());
        let notes = Notes::default();
        for model in &self.config.models {
            match self.model(model, common, &notes, options) {
                Ok(Some(result)) => results.push(result),
                Ok(None) => return Ok(None),
                // One that diverges does not take what the others have learned with it.
                Err(error) if error.is_training() && self.config.models.len() > 1 => {
                    (options.on_event)(&RunEvent::ModelFailed(model.name(), &error));
                    failed.push((model.name(), error));
                }
                Err(error) => return Err(error),
            }
        }
        if results.is_empty() && !failed.is_empty() {
            return Err(failed.swap_remove(0).1);
        }
        let best = best(&results);
        let model = FittedModel::load(folder.artifact(&best), device)?;
        model.save(folder.file("model.safetensors"))?;
        // What the run is for is written; only now the comparison, which may take long or be stopped.
        let (stop, on_event) = (&*options.stop, &mut *options.on_event);
        let compared = baselines::compare(&self.config, data, &model, stop, on_event)?;
        let Some(compared) = compared else {
            return Ok(None);
        };
        let mut summary = self.summary(data, &model, best, results, compared);
        summary.permutation_importance = importance::by_permutation(data, &model)?;
        summary.failed = failed
            .iter()
            .map(|(name, error)| FailedModel {
                name: (*name).into(),
                error: error.to_string(),
            })
            .collect();

        let json = serde_json::to_string_pretty(&summary)
            .map_err(|e| ForgeError::artifact(folder.file("metrics.json"), e))?;
        folder.write("metrics.json", &json)?;
        let sample = &data.split.test[..data.split.test.len().min(SAMPLE_ROWS)];
        folder.clear_place("sample.csv")?;
        data.write_sample(&folder.file("sample.csv"), sample)?;
        let report = pages::report(data, &summary, &model, &options.sections)?;
        folder.write("report.html", &report.to_html()?)?;
        Ok(Some(summary))
    }

    /// What trains one model.
    fn estimator(
        &self,
        model: &ModelChoice,
        data: &ExperimentData,
    ) -> Result<TabularEstimator, Error> {
        let mut estimator = TabularEstimator::targets(&self.config.target)
            .task(Some(data.task))
            .ignore(self.config.not_features(&data.table))
            .with_config(self.config.estimator_of(model))?;
        if let Some(column) = &self.config.weights {
            estimator = estimator.weights(column);
        }
        Ok(estimator)
    }

    /// Trains one model, or takes what an earlier run of this folder left.
    fn model(
        &self,
        model: &ModelChoice,
        common: &Common<'_>,
        notes: &Notes,
        options: &mut RunOptions<'_>,
    ) -> Result<Option<ModelResult>, Error> {
        let name = model.name();
        let Common { data, folder, .. } = common;
        if options.resume {
            let left = ModelRecord::left(folder, name, &common.fingerprint, common.device)?;
            match left {
                Left::Nothing => {}
                Left::Damaged(error) => (options.on_event)(&RunEvent::Damaged(name, &error)),
                Left::Done(result) => {
                    for note in &result.notes {
                        notes.tell(note, &mut options.on_event);
                    }
                    (options.on_event)(&RunEvent::ModelFinished(&result, true));
                    return Ok(Some(result));
                }
            }
        }
        (options.on_event)(&RunEvent::ModelStarted(name));
        let first_step = FirstStep(Arc::clone(&common.trained));
        let fit = FitOptions {
            observers: vec![
                (options.observer)(name),
                Box::new(first_step),
                Box::new(folder.metrics(name)),
            ],
            checkpoints: Some(folder.checkpoints(name)),
            resume: options.resume,
            stop: Some(Arc::clone(&options.stop)),
            notes: Some(Box::new(|note| notes.tell(note, &mut options.on_event))),
            teacher: None,
            read: data.read.clone(),
        };
        let estimator = self.estimator(model, data)?;
        let (fitted, fit) = estimator.fit_split(&data.table, &data.split, common.device, fit)?;
        if fit.stopped == StopReason::Interrupted || options.stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let (scores, held_out) = fitted.scores_with_report(&data.table, Some(&data.split.test))?;
        let mut told = fit.notes;
        for line in lines(&held_out.unseen().to_string(), 0) {
            told.push(format!("hold-out rows: {line}"));
            notes.tell(&told[told.len() - 1], &mut options.on_event);
        }
        let importance = importance::own(data, &fitted)?;
        let result = ModelResult {
            name: name.into(),
            scores,
            validation: fit.scores,
            seconds: fit.seconds,
            parameters: fit.parameters,
            candidate: fit.candidate,
            epochs: fit.history.len(),
            stopped: fit.stopped,
            history: fit.history,
            notes: told,
            importance,
        };
        fitted.save(folder.artifact(name))?;
        let record = ModelRecord {
            data: common.fingerprint.clone(),
            result,
        };
        record.write(folder)?;
        (options.on_event)(&RunEvent::ModelFinished(&record.result, false));
        Ok(Some(record.result))
    }

    fn summary(
        &self,
        data: &ExperimentData,
        model: &FittedModel,
        best: String,
        mut models: Vec<ModelResult>,
        mut baselines: Vec<BaselineResult>,
    ) -> Summary {
        models.sort_by(|a, b| better_first(&a.scores, &b.scores));
        baselines.sort_by(|a, b| better_first(&a.scores, &b.scores));
        Summary {
            models,
            failed: Vec::new(),
            baselines,
            best,
            permutation_importance: None,
            target: self.config.target.clone(),
            task: data.task,
            objective: model.objective().to_string(),
            classes: model.classes().map(<[String]>::to_vec),
            seed: self.config.estimator.training.seed,
            rows: data.table.n_rows(),
            train_rows: data.split.train.len(),
            baseline_rows: baselines::rows(data).len(),
            validation_rows: data.split.validation.len(),
            test_rows: data.split.test.len(),
            split: data.rule.to_string(),
            synthetic: data.synthetic,
            version: env!("CARGO_PKG_VERSION").into(),
        }
    }
}

/// The validation rows choose; without any, the hold-out rows.
fn best(results: &[ModelResult]) -> String {
    let scores = |m: &ModelResult| m.validation.clone().unwrap_or_else(|| m.scores.clone());
    let best = results
        .iter()
        .min_by(|a, b| better_first(&scores(a), &scores(b)));
    best.map(|m| m.name.clone()).unwrap_or_default()
}
