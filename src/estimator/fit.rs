//! Training on a table.

use std::path::PathBuf;

use burn::module::Module;
use burn::tensor::Device;
use forge_data::{
    AugmentationConfig, CategoricalEncoding, EncodedTargets, FeatureSelection, Features,
    PreprocessReport, Preprocessor, Split, SplitConfig, Table, TabularDataset, TargetEncoder,
    TaskKind, sample_weights,
};
use forge_meta::continual::TaskScores;
use forge_models::{
    Capabilities, Model, ModelConfig, RowContext, TabularModel, TargetKind, TrainingRows,
};
use forge_nn::{DeviceName, ForgeError, ModuleConfig};
use forge_train::checkpoint::CheckpointFolder;
use forge_train::loss::Distillation;
use forge_train::objective::{MovingNumbers, Objective, ObjectiveConfig, Targets};
use forge_train::sampler::SamplerConfig;
use forge_train::{LrCurve, LrFinder, LrFinderConfig, StopReason, TrainOutcome, TrainTask};
use serde::Serialize;

use super::context::{check_size, labels};
use super::continual::Plan;
use super::fit_notes::notes;
use super::fitted_model::{constants, scales};
use super::predict::{features, without_gradients};
use super::row_keys::row_keys;
use super::table_task::{Augmented, TableTask, Validation};
use super::training_context::LooksAt;
use super::{EstimatorConfig, FitOptions, FitReport, FittedModel, StoredContext, Task, Teacher};
use crate::Error;
use crate::hashing::hash_numbers;

/// An estimator to be, of whatever the target is: numbers or classes.
///
/// [`TabularRegressor`](super::TabularRegressor) and [`TabularClassifier`](super::TabularClassifier)
/// are this with the task decided; here it is taken from the target (text or few integers: classes)
/// unless [`task`](Self::task) says.
#[derive(Debug, Clone, PartialEq)]
pub struct TabularEstimator {
    pub(super) targets: Vec<String>,
    ignore: Vec<String>,
    weights: Option<String>,
    pub(super) task: Option<Task>,
    pub(super) config: EstimatorConfig,
}

/// What must be the same for a killed run to go on, beside the training settings.
#[derive(Serialize)]
struct Identity<'a> {
    model: &'a ModelConfig,
    objective: &'a ObjectiveConfig,
    data: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    augmentation: Option<AugmentationConfig>,
}

/// What the way to training is gone for.
enum Purpose<'a> {
    Check,
    Find(&'a Device, LrFinder),
    Fit(&'a Device, Box<FitOptions<'a>>),
    /// One task after the other.
    Learn(&'a Device, Box<FitOptions<'a>>, Plan),
}

/// What came of a [`Purpose`].
enum Reached {
    Checked,
    Found(LrCurve),
    Fit(Box<FittedModel>, Box<FitReport>),
    Learned(Box<FittedModel>, TaskScores),
}

/// Features and targets of some rows.
struct Rows {
    features: Features,
    targets: EncodedTargets,
}

impl TabularEstimator {
    /// An FT-Transformer of balanced size that learns `target` from all other columns.
    #[must_use]
    pub fn new(target: &str) -> Self {
        Self::targets([target])
    }

    /// The same for several numeric targets.
    #[must_use]
    pub fn targets<S: Into<String>>(targets: impl IntoIterator<Item = S>) -> Self {
        Self {
            targets: targets.into_iter().map(Into::into).collect(),
            ignore: Vec::new(),
            weights: None,
            task: None,
            config: EstimatorConfig::default(),
        }
    }

    /// With these settings.
    ///
    /// # Errors
    /// What [`EstimatorConfig::validate`] finds.
    pub fn with_config(mut self, config: EstimatorConfig) -> Result<Self, Error> {
        config.validate()?;
        self.config = config;
        Ok(self)
    }

    /// Whether the target is numbers or classes; absent: what it looks like.
    #[must_use]
    pub fn task(mut self, task: Option<Task>) -> Self {
        self.task = task;
        self
    }

    /// Columns that are not features.
    #[must_use]
    pub fn ignore<S: Into<String>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.ignore.extend(columns.into_iter().map(Into::into));
        self
    }

    /// A column of sample weights, at least 0: what each row counts in training. It is no feature.
    #[must_use]
    pub fn weights(mut self, column: &str) -> Self {
        self.weights = Some(column.into());
        self
    }

    /// Trains on all rows of `table`, a random part of them held out for early stopping: of each
    /// class alike, where the target is classes.
    ///
    /// # Errors
    /// Bad data (naming row and column), a config that does not fit the table, or training that
    /// cannot go on.
    pub fn fit(&self, table: &Table, device: &Device) -> Result<FittedModel, Error> {
        self.fit_all(table, device, FitOptions::default())
    }

    /// [`fit`](Self::fit) by what a trained model says of the training rows, beside their targets: a
    /// student of it. [`FittedModel::student`] gives the settings of a smaller one of its kind.
    ///
    /// # Errors
    /// As [`fit`](Self::fit); a config error for a teacher of other targets or classes, an unsupported
    /// error for one whose objective says something else.
    pub fn distill<'a>(
        &self,
        teacher: impl Into<Teacher<'a>>,
        table: &Table,
        device: &Device,
    ) -> Result<FittedModel, Error> {
        let options = FitOptions {
            teacher: Some(teacher.into()),
            ..FitOptions::default()
        };
        self.fit_all(table, device, options)
    }

    /// [`fit`](Self::fit) with options.
    fn fit_all(
        &self,
        table: &Table,
        device: &Device,
        options: FitOptions<'_>,
    ) -> Result<FittedModel, Error> {
        let all: Vec<usize> = (0..table.n_rows()).collect();
        let (kind, _) = self.kind(table, &all)?;
        let split = SplitConfig::Random {
            fraction: 0.0,
            seed: self.config.training.seed,
            stratify: (kind != TaskKind::Regression).then(|| self.targets[0].clone()),
        }
        // Rows that nothing is stopped by are better looked at.
        .split(
            table,
            match self.config.trains() {
                true => self.config.validation_fraction,
                false => 0.0,
            },
        )?;
        let (fitted, _) = self.fit_split(table, &split, device, options)?;
        Ok(fitted)
    }

    /// Trains on `split.train`, stops early by `split.validation`, and never looks at
    /// `split.test`.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn fit_split(
        &self,
        table: &Table,
        split: &Split,
        device: &Device,
        options: FitOptions<'_>,
    ) -> Result<(FittedModel, FitReport), Error> {
        match self.up_to(table, split, Purpose::Fit(device, Box::new(options)))? {
            Reached::Fit(fitted, report) => Ok((*fitted, *report)),
            // What was asked to fit either did or failed.
            _ => Err(ForgeError::training("nothing was trained").into()),
        }
    }

    /// Trains on the tasks of `plan` one after the other.
    pub(super) fn fit_plan(
        &self,
        table: &Table,
        split: &Split,
        device: &Device,
        options: FitOptions<'_>,
        plan: Plan,
    ) -> Result<(FittedModel, TaskScores), Error> {
        match self.up_to(
            table,
            split,
            Purpose::Learn(device, Box::new(options), plan),
        )? {
            Reached::Learned(fitted, scores) => Ok((*fitted, scores)),
            _ => Err(ForgeError::training("no tasks were learned").into()),
        }
    }

    /// Finds out, before anything is trained or written, what [`fit_split`](Self::fit_split) would
    /// refuse: bad data, and settings that do not fit them.
    ///
    /// # Errors
    /// As [`fit_split`](Self::fit_split), but for those of training itself.
    pub fn check(&self, table: &Table, split: &Split) -> Result<(), Error> {
        self.up_to(table, split, Purpose::Check).map(|_| ())
    }

    /// Tries learning rates on `split.train` from the weights that [`fit_split`](Self::fit_split)
    /// would start from, with the same optimiser, batches and clipping. Take what it suggests as
    /// `training.learning_rate`.
    ///
    /// ```
    /// # use volatilityforge::burn::tensor::Device;
    /// # use volatilityforge::train::LrFinderConfig;
    /// # use volatilityforge::{EstimatorConfig, Strategy, TabularEstimator, read_table};
    /// # use volatilityforge::data::{Split, SplitConfig};
    /// # fn tuned(table: &volatilityforge::Table, split: &Split) -> Result<(), volatilityforge::Error> {
    /// let mut config = EstimatorConfig::named("tabular_mlp", Strategy::Fast)?;
    /// let estimator = TabularEstimator::new("price").with_config(config.clone())?;
    /// let curve =
    ///     estimator.find_learning_rate(table, split, &Device::flex(), LrFinderConfig::default())?;
    /// config.training.learning_rate = curve.suggestion();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`fit_split`](Self::fit_split), and a config error about `finder`.
    pub fn find_learning_rate(
        &self,
        table: &Table,
        split: &Split,
        device: &Device,
        finder: LrFinderConfig,
    ) -> Result<LrCurve, Error> {
        let finder = LrFinder::new(finder)?;
        match self.up_to(table, split, Purpose::Find(device, finder))? {
            Reached::Found(curve) => Ok(curve),
            _ => Err(ForgeError::training("no rates were tried").into()),
        }
    }

    /// Everything up to the training, and then what `purpose` says.
    fn up_to(&self, table: &Table, split: &Split, purpose: Purpose<'_>) -> Result<Reached, Error> {
        let (kind, task) = self.kind(table, &split.train)?;
        let target = match kind {
            TaskKind::Regression => TargetKind::Numbers,
            _ => TargetKind::Classes,
        };
        let mut training = self.config.trainer_for(split.train.len(), target)?;
        let settings = &self.config.training;
        if split.validation.is_empty() && settings.patience.is_none() && settings.config.is_none() {
            // The preset's: without validation rows there is nothing to stop by.
            training.early_stopping = None;
        }
        let capabilities = ModelConfig::capabilities_of(self.config.model.name())?;
        let (preprocessor, preprocessing) = self.preprocessor(capabilities, table, &split.train)?;
        let encoder = TargetEncoder::fit_as(kind, table, &self.targets, &split.train)?;
        let read = |rows: &[usize]| -> Result<Rows, Error> {
            Ok(Rows {
                targets: encoder.encode(table, Some(rows))?,
                features: preprocessor.transform_with(table, Some(rows), capabilities.missing)?,
            })
        };
        let train = read(&split.train)?;
        let mut objective = self.objective(target, &train.targets)?;
        if objective.is_scaled() {
            objective.fit_scales(&scales(&encoder))?;
        }
        if objective.rows_interact() && training.micro_batches > 1 {
            let allowed = "1: the loss of the worst rows takes the whole batch";
            return Err(
                ForgeError::config("micro_batches", training.micro_batches, allowed).into(),
            );
        }
        let spec = FittedModel::spec(&preprocessor, &objective);
        let place = match &purpose {
            Purpose::Fit(device, _) | Purpose::Find(device, _) | Purpose::Learn(device, ..) => {
                Some(without_gradients(device))
            }
            // A check computes nothing: any device does to read weights on.
            Purpose::Check => DeviceName::Flex.open().ok(),
        };
        let pretrained = match &place {
            Some(place) => (self.config.model).read_weights(&spec, labels(&objective), place)?,
            None => None,
        };
        let model = match &pretrained {
            Some(pretrained) => pretrained.config.clone(),
            None => {
                let (choice, strategy) = (&self.config.model, self.config.strategy);
                let model = choice.sized_for(strategy, &spec, target)?;
                model.with_labels(labels(&objective))?
            }
        };
        let model = model.fitted_to(&TrainingRows::new(
            &train.features.numeric,
            train.features.n_numeric,
            &train.targets.values,
            train.targets.slots,
            objective.n_classes(),
        )?)?;
        model.parameter_count()?;
        let (rows, gigabytes) = (split.train.len(), settings.context_gigabytes());
        if self.config.trains() {
            check_size(&model, rows, training.batch_size, gigabytes)?;
        }
        let context = match StoredContext::choose(&model, &split.train) {
            None => None,
            Some(rows) => {
                let Rows { features, targets } = read(&rows)?;
                let targets = (capabilities.rows == RowContext::Labelled).then_some(targets);
                Some(StoredContext { features, targets })
            }
        };
        let weights = match &self.weights {
            None => vec![],
            Some(column) => sample_weights(table, column, Some(&split.train))?,
        };

        let keys = match training.sampler.as_ref().and_then(SamplerConfig::key) {
            None => None,
            Some(by) => {
                let of_target = (&encoder, &train.targets);
                let keys = row_keys(by, table, &split.train, of_target, &weights)?;
                Some((by.clone(), keys))
            }
        };
        if let (Some(sampler), Some((_, keys))) = (&training.sampler, &keys) {
            // Refused before anything is written; the trainer builds its own.
            let (rows, batch_size) = (split.train.len(), training.batch_size);
            sampler.build(rows, batch_size, training.seed, |_| Ok(keys.clone()))?;
        }
        let augmentation = match &settings.augmentation {
            None => None,
            Some(config) => {
                let (numeric, codes) = (train.features.n_numeric, train.features.n_categorical);
                let by = config.for_columns(numeric, codes)?;
                let mixes = config.mixup.is_some() || config.cutmix.is_some();
                if mixes && capabilities.rows == RowContext::Labelled {
                    let allowed = format!(
                        "absent: {} looks at labelled rows, and a mixed row has no label",
                        model.name()
                    );
                    let field = "augmentation.mixup or augmentation.cutmix";
                    return Err(ForgeError::config(field, "set", allowed).into());
                }
                Some(by)
            }
        };

        let validation = match split.validation.is_empty() {
            true => None,
            false => Some(read(&split.validation)?),
        };
        let (device, mut options, finder, plan) = match purpose {
            Purpose::Fit(device, options) => (device, *options, None, None),
            Purpose::Learn(device, options, plan) => (device, *options, None, Some(plan)),
            Purpose::Find(device, finder) => (device, FitOptions::default(), Some(finder), None),
            Purpose::Check => {
                // These are looked at after the training.
                if !split.test.is_empty() {
                    read(&split.test)?;
                }
                return Ok(Reached::Checked);
            }
        };

        let lessons = match options.teacher {
            None => None,
            Some(teacher) => {
                let (classes, scales) = (encoder.classes(), scales(&encoder));
                let classes = classes.map(|target| target.names());
                let rows = &split.train;
                Some(teacher.lessons(table, rows, &self.targets, &objective, classes, &scales)?)
            }
        };
        let (device, plain) = (device.clone().autodiff(), without_gradients(device));
        let mut fingerprint = blake3::Hasher::new();
        hash_rows(&mut fingerprint, &train);
        hash_numbers(&mut fingerprint, &weights, |v| v.to_le_bytes());
        if let Some(lessons) = &lessons {
            hash_numbers(&mut fingerprint, &lessons.values, |v| v.to_le_bytes());
            let Distillation {
                weight,
                temperature,
            } = lessons.how;
            hash_numbers(&mut fingerprint, &[weight, temperature], |v| {
                v.to_le_bytes()
            });
        }
        let mut notes = notes(
            &preprocessing,
            &encoder,
            validation.as_ref().map(|r| &r.features),
        );
        if let Some(file) = self
            .config
            .model
            .weights()
            .filter(|_| !self.config.trains())
        {
            notes.push(format!(
                "the weights in {} are used as they are, nothing is trained (training.epochs \
                 trains them further)",
                file.display()
            ));
        }
        options.tell(&notes);
        let on_device = |rows: Rows| -> Result<Validation, Error> {
            Ok(Validation {
                targets: Targets::new(rows.targets.slots, rows.targets.original.clone())?,
                rows: TabularDataset::new(rows.features, &plain),
                scales: scales(&encoder),
                constants: constants(&encoder),
                context: context.as_ref().map(|context| context.to_device(&plain)),
            })
        };
        let validation = match validation {
            None => None,
            Some(rows) => {
                hash_rows(&mut fingerprint, &rows);
                Some(on_device(rows)?)
            }
        };
        let held_out = plan.iter().flat_map(|plan| &plan.held_out);
        let held_out = held_out.map(|rows| on_device(read(rows)?));
        let held_out = held_out.collect::<Result<Vec<_>, Error>>()?;
        let mut dataset =
            TabularDataset::new(train.features, &device).with_targets(&train.targets)?;
        if !weights.is_empty() {
            dataset = dataset.with_weights(weights.clone())?;
        }
        let mut task_of_training = TableTask {
            train: dataset,
            validation,
            objective: objective.clone(),
            looks_at: LooksAt::of(&model, training.seed),
            rows_interact: capabilities.rows != RowContext::Alone || objective.rows_interact(),
            weights: weights.iter().map(|w| f64::from(*w)).collect(),
            teacher: lessons.map(|lessons| lessons.to_device(&plain)),
            moving: MovingNumbers::of(&objective, &device),
            keys,
            augmented: augmentation.map(|by| Augmented {
                by,
                seed: training.seed,
            }),
        };

        device.seed(training.seed);
        // Burn draws initial weights when they are first used; drawn here, they depend on nothing
        // but the seed.
        let is_fresh = pretrained.is_none();
        let mut module = match pretrained {
            Some(pretrained) => pretrained.model,
            None => model.try_init(&device)?.materialize(),
        };
        // What is resumed has started already, and comes from its checkpoint.
        let is_there = |folder: &PathBuf| CheckpointFolder::has_any(folder);
        let resumes = options.resume && options.checkpoints.as_ref().is_some_and(is_there);
        if is_fresh && !resumes {
            let rows = task_of_training.train.tensors().clone();
            let is_value = target == TargetKind::Numbers && objective.width() == 1;
            let targets = rows.y.clone().filter(|_| is_value);
            module = module.start_from(features(rows), targets)?;
        }
        if let Some(finder) = finder {
            let curve = finder.find(&training, &mut task_of_training, &module)?;
            return Ok(Reached::Found(curve));
        }
        if let Some(plan) = plan {
            let (module, scores) =
                plan.learn(task_of_training, held_out, training, module, &device)?;
            let mut fitted = FittedModel {
                model,
                members: vec![module],
                objective,
                preprocessor,
                encoder,
                context,
                read: options.read,
                device: plain,
            };
            fitted.tune(table, &split.validation)?;
            return Ok(Reached::Learned(Box::new(fitted), scores));
        }
        let outcome = if self.config.trains() {
            let identity = Identity {
                model: &model,
                objective: &objective,
                data: fingerprint.finalize().to_hex().to_string(),
                augmentation: settings.augmentation,
            };
            let trainer = options.trainer(training, &identity)?;
            trainer.fit(&mut task_of_training, module)?
        } else {
            as_it_is(module, &task_of_training)?
        };
        let report = FitReport {
            task,
            preprocessing,
            notes,
            history: outcome.history,
            stopped: outcome.stop,
            seconds: outcome.seconds,
            parameters: model.parameter_count()?,
            candidate: outcome.candidate,
            scores: outcome.scores,
        };
        let mut fitted = FittedModel {
            model,
            members: outcome.members,
            objective,
            preprocessor,
            encoder,
            context,
            read: options.read,
            device: plain,
        };
        fitted.tune(table, &split.validation)?;
        Ok(Reached::Fit(Box::new(fitted), Box::new(report)))
    }

    /// Statistics of the training rows, in the form that the model takes.
    fn preprocessor(
        &self,
        capabilities: Capabilities,
        table: &Table,
        train: &[usize],
    ) -> Result<(Preprocessor, PreprocessReport), Error> {
        for target in &self.targets {
            table.column(target)?;
        }
        let mut except = self.targets.clone();
        except.extend(self.weights.clone());
        for column in &self.ignore {
            if !except.contains(column) {
                except.push(column.clone());
            }
        }
        let mut config = self.config.preprocess.clone();
        config.categorical = if capabilities.categorical {
            CategoricalEncoding::Codes
        } else {
            CategoricalEncoding::OneHot
        };
        let selection = FeatureSelection::Except(except);
        Ok(Preprocessor::fit(table, &selection, train, &config)?)
    }
}

/// What a run leaves that trains nothing.
fn as_it_is(module: Model, task: &TableTask) -> Result<TrainOutcome<Model>, ForgeError> {
    Ok(TrainOutcome {
        scores: task.validate(&module)?,
        members: vec![module.clone()],
        module,
        candidate: "module".into(),
        best_epoch: None,
        history: vec![],
        stop: StopReason::Completed,
        epochs: 0,
        steps: 0,
        seconds: 0.0,
    })
}

fn hash_rows(hasher: &mut blake3::Hasher, rows: &Rows) {
    hash_numbers(hasher, &rows.features.numeric, |v| v.to_le_bytes());
    hash_numbers(hasher, &rows.features.categorical, |v| v.to_le_bytes());
    hash_numbers(hasher, &rows.targets.values, |v| v.to_le_bytes());
}
