//! Trains every model of a config, compares, and fills the run folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::tensor::Device;
use forge_nn::ForgeError;
use forge_train::{Observer, StopReason};

use super::{
    BaselineResult, ExperimentConfig, ExperimentData, ModelResult, Summary, baselines, pages,
};
use crate::report::{Section, better_first};
use crate::{Error, FitOptions, FittedModel, ModelChoice, TabularEstimator};

/// Rows of `sample.csv`.
const SAMPLE_ROWS: usize = 1000;

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
        config.validate()?;
        Ok(Self { config })
    }

    /// Trains, measures and writes the run folder: `config.toml`, an artifact per model, the best
    /// one again as `model.safetensors`, `metrics.json`, `report.html`, `sample.csv` (hold-out
    /// rows to try predictions on) and `checkpoints/`.
    ///
    /// Returns nothing when it was stopped from outside; the folder can be resumed then.
    ///
    /// # Errors
    /// Bad data naming file, row and column, settings that do not fit it, training that cannot go
    /// on, or a folder that cannot be written.
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
        let out = options.out.clone();
        self.open_folder(&out, options.resume)?;
        (options.on_event)(&RunEvent::Data(&data));

        let mut results = Vec::new();
        for model in &self.config.models {
            let Some(result) = self.model(model, &data, &device, &mut options)? else {
                return Ok(None);
            };
            results.push(result);
        }
        let best = best(&results);
        let model = FittedModel::load(out.join(artifact_name(&best)), &device)?;
        model.save(out.join("model.safetensors"))?;
        // What the run is for is written; only now the comparison, which may take long or be stopped.
        let (stop, on_event) = (&*options.stop, &mut *options.on_event);
        let compared = baselines::compare(&self.config, &data, &model, stop, on_event)?;
        let Some(compared) = compared else {
            return Ok(None);
        };
        let summary = self.summary(&data, &model, best, results, compared);

        let json = serde_json::to_string_pretty(&summary)
            .map_err(|e| ForgeError::artifact(out.join("metrics.json"), e))?;
        write(&out.join("metrics.json"), &json)?;
        let sample = &data.split.test[..data.split.test.len().min(SAMPLE_ROWS)];
        data.table
            .select_rows(sample)?
            .write_csv(out.join("sample.csv"))?;
        pages::report(&data, &summary, &model, &options.sections)?
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
        model: &ModelChoice,
        data: &ExperimentData,
        device: &Device,
        options: &mut RunOptions<'_>,
    ) -> Result<Option<ModelResult>, Error> {
        let name = model.name();
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
            read: self.config.read.clone(),
        };
        let mut estimator = TabularEstimator::targets(&self.config.target)
            .task(Some(data.task))
            .ignore(&self.config.ignore)
            .with_config(self.config.estimator_of(model))?;
        if let Some(column) = &self.config.weights {
            estimator = estimator.weights(column);
        }
        let (fitted, fit) = estimator.fit_split(&data.table, &data.split, device, fit)?;
        if fit.stopped == StopReason::Interrupted || options.stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let result = ModelResult {
            name: name.into(),
            scores: fitted.scores(&data.table, Some(&data.split.test))?,
            validation: fit.scores,
            seconds: fit.seconds,
            parameters: fit.parameters,
            candidate: fit.candidate,
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
            baselines,
            best,
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

fn artifact_name(model: &str) -> String {
    format!("{model}.safetensors")
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    std::fs::write(path, text).map_err(|e| ForgeError::io(path, e).into())
}
