//! A training that is about to begin.

use burn::tensor::Device;
use forge_data::{
    AugmentationConfig, InferredTask, PreprocessReport, Split, Table, TabularDataset,
};
use forge_meta::continual::TaskScores;
use forge_models::{Model, ModelConfig, RowContext};
use forge_nn::ForgeError;
use forge_train::loss::Distillation;
use forge_train::objective::{MovingNumbers, Objective, ObjectiveConfig, Targets};
use forge_train::{Ending, LrCurve, LrFinder, StopReason, TrainOutcome, TrainTask, TrainerConfig};
use serde::Serialize;

use super::TabularEstimator;
use super::beginning::Beginning;
use super::prepared::{Prepared, read};
use super::rows::Rows;
use crate::Error;
use crate::ensemble::Ensemble;
use crate::estimator::continual::Plan;
use crate::estimator::fit_notes::{far_out_targets, notes};
use crate::estimator::fitted_model::{constants, scales};
use crate::estimator::predict::without_gradients;
use crate::estimator::table_task::{TableTask, Validation};
use crate::estimator::training_context::LooksAt;
use crate::estimator::{EstimatorConfig, FitOptions, FitReport, FittedModel};
use crate::hashing::hash_numbers;

/// What must be the same for a killed run to go on, beside the training settings.
#[derive(Serialize)]
struct Identity<'a> {
    model: &'a ModelConfig,
    objective: &'a ObjectiveConfig,
    data: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    augmentation: Option<AugmentationConfig>,
}

/// Rows and first weights on their device.
pub(super) struct Started<'o> {
    task: Option<InferredTask>,
    preprocessing: PreprocessReport,
    training: TrainerConfig,
    rows: TableTask,
    beginning: Beginning,
    /// Of all numbers that the training sees.
    fingerprint: blake3::Hasher,
    notes: Vec<String>,
    options: FitOptions<'o>,
    /// Where each network ends, if an earlier run says so.
    endings: Option<Vec<Ending>>,
    /// What is fitted, without its networks so far.
    fitted: FittedModel,
}

/// A training that is over.
pub(super) struct Ended<'o> {
    pub(super) fitted: FittedModel,
    pub(super) report: FitReport,
    /// Where each network was best; absent where no single epoch was.
    pub(super) endings: Option<Vec<Ending>>,
    pub(super) training: TrainerConfig,
    pub(super) options: FitOptions<'o>,
}

impl Prepared {
    /// Puts everything on the device and makes the first weights.
    ///
    /// # Errors
    /// A teacher that does not fit; what the model refuses.
    pub(super) fn start<'o>(
        self,
        estimator: &TabularEstimator,
        table: &Table,
        split: &Split,
        device: &Device,
        mut options: FitOptions<'o>,
    ) -> Result<Started<'o>, Error> {
        let scales = scales(&self.encoder);
        let lessons = match options.teacher {
            None => None,
            Some(teacher) => {
                let classes = self.encoder.classes().map(|target| target.names());
                let (rows, targets) = (&split.train, &estimator.targets);
                let objective = &self.objective;
                Some(teacher.lessons(table, rows, targets, objective, classes, &scales)?)
            }
        };
        let (device, plain) = (device.clone().autodiff(), without_gradients(device));
        let mut fingerprint = blake3::Hasher::new();
        self.train.hash(&mut fingerprint);
        hash_numbers(&mut fingerprint, &self.weights, |v| v.to_le_bytes());
        if let Some(lessons) = &lessons {
            hash_numbers(&mut fingerprint, &lessons.values, |v| v.to_le_bytes());
            let Distillation {
                weight,
                temperature,
            } = lessons.how;
            let how = [weight, temperature];
            hash_numbers(&mut fingerprint, &how, |v| v.to_le_bytes());
        }
        let validation = self.validation.as_ref();
        let mut notes = notes(
            &self.preprocessing,
            &self.encoder,
            &far_out_targets(&self.encoder, table, &split.train),
            validation.map(|rows| &rows.features),
        );
        notes.extend(untrained(&estimator.config));
        options.tell(&notes);

        let fitted = FittedModel {
            model: self.model,
            members: vec![],
            objective: self.objective,
            preprocessor: self.preprocessor,
            encoder: self.encoder,
            context: self.context,
            calibration: None,
            read: options.read.clone(),
            device: plain.clone(),
        };
        let validation = match self.validation {
            None => None,
            Some(rows) => {
                rows.hash(&mut fingerprint);
                Some(on_device(rows, &fitted)?)
            }
        };
        let mut train =
            TabularDataset::new(self.train.features, &device).with_targets(&self.train.targets)?;
        if !self.weights.is_empty() {
            train = train.with_weights(self.weights.clone())?;
        }
        let FittedModel {
            model, objective, ..
        } = &fitted;
        let rows = TableTask {
            train,
            validation,
            objective: objective.clone(),
            looks_at: LooksAt::of(model),
            rows_interact: self.capabilities.rows != RowContext::Alone || objective.rows_interact(),
            weights: self.weights.iter().map(|w| f64::from(*w)).collect(),
            teacher: lessons.map(|lessons| lessons.to_device(&plain)),
            moving: MovingNumbers::of(objective, &device),
            keys: self.keys,
            augmentation: self.augmentation,
            seed: self.training.seed,
        };

        Ok(Started {
            task: self.task,
            preprocessing: self.preprocessing,
            training: self.training,
            rows,
            beginning: Beginning {
                pretrained: self.pretrained.map(|pretrained| pretrained.model),
                target: self.target,
                device,
            },
            fingerprint,
            notes,
            options,
            endings: None,
            fitted,
        })
    }
}

impl<'o> Started<'o> {
    /// Ends there, as the second run of a fit.
    pub(super) fn ending_at(mut self, endings: Option<Vec<Ending>>) -> Self {
        self.endings = endings;
        self
    }

    /// Trains, unless the settings say to take weights as they are.
    pub(super) fn fit(
        mut self,
        estimator: &TabularEstimator,
        table: &Table,
        split: &Split,
    ) -> Result<Ended<'o>, Error> {
        let mut fitted = self.fitted;
        let (rows, beginning) = (&mut self.rows, &self.beginning);
        let (outcome, endings) = if estimator.config.trains() {
            let identity = Identity {
                model: &fitted.model,
                objective: &fitted.objective,
                data: self.fingerprint.finalize().to_hex().to_string(),
                augmentation: estimator.config.training.augmentation,
            };
            let ensemble = Ensemble {
                networks: estimator.config.ensemble,
                training: &self.training,
                identity: &identity,
                endings: self.endings.as_deref(),
            };
            ensemble.fit(rows, &mut self.options, |rows, seed, goes_on| {
                beginning.network(&fitted.model, rows, seed, goes_on)
            })?
        } else {
            let module = beginning.network(&fitted.model, rows, self.training.seed, None)?;
            (as_it_is(module, rows)?, None)
        };
        fitted.members = outcome.members;
        let mut notes: Vec<String> = calibrate(&mut fitted, estimator, table, split)
            .into_iter()
            .collect();
        if fitted.calibration.is_none() {
            notes.extend(tune(&mut fitted, table, split));
        }
        if !notes.is_empty() {
            self.options.tell(&notes);
            self.notes.extend(notes);
        }
        let report = FitReport {
            task: self.task,
            preprocessing: self.preprocessing,
            notes: self.notes,
            history: outcome.history,
            stopped: outcome.stop,
            seconds: outcome.seconds,
            parameters: fitted.model.parameter_count()?,
            candidate: outcome.candidate,
            scores: outcome.scores,
            refit: None,
        };
        Ok(Ended {
            fitted,
            report,
            endings,
            training: self.training,
            options: self.options,
        })
    }

    /// Learns one task of `plan` after the other.
    pub(super) fn learn(
        mut self,
        table: &Table,
        split: &Split,
        plan: Plan,
    ) -> Result<(FittedModel, TaskScores), Error> {
        let mut fitted = self.fitted;
        let held_out = plan.held_out.iter().map(|rows| {
            let (preprocessor, encoder) = (&fitted.preprocessor, &fitted.encoder);
            let capabilities = fitted.model.capabilities();
            on_device(
                read(preprocessor, encoder, capabilities, table, rows)?,
                &fitted,
            )
        });
        let held_out = held_out.collect::<Result<Vec<_>, Error>>()?;
        let (beginning, seed) = (self.beginning, self.training.seed);
        let mut rows = self.rows;
        let module = beginning.network(&fitted.model, &mut rows, seed, None)?;
        let (module, scores) =
            plan.learn(rows, held_out, self.training, module, &beginning.device)?;
        fitted.members = vec![module];
        if let Some(note) = tune(&mut fitted, table, split) {
            self.options.tell(&[note]);
        }
        Ok((fitted, scores))
    }

    /// Tries learning rates.
    pub(super) fn find(mut self, finder: &LrFinder) -> Result<LrCurve, Error> {
        let (rows, seed) = (&mut self.rows, self.training.seed);
        let module = (self.beginning).network(&self.fitted.model, rows, seed, None)?;
        Ok(finder.find(&self.training, rows, &module)?)
    }
}

/// Calibrates what is fitted, if that is wanted; why not, where it cannot be. The training is not lost for it.
fn calibrate(
    fitted: &mut FittedModel,
    estimator: &TabularEstimator,
    table: &Table,
    split: &Split,
) -> Option<String> {
    let config = estimator.config.calibration.as_ref()?;
    if split.validation.is_empty() {
        return None;
    }
    match fitted.calibrate(table, Some(&split.validation), config) {
        Ok(()) => None,
        Err(error) => Some(format!("not calibrated: {error}")),
    }
}

/// Chooses on validation rows what the objective leaves to them; why not, where that cannot be. The training
/// is not lost for it.
fn tune(fitted: &mut FittedModel, table: &Table, split: &Split) -> Option<String> {
    let error = fitted.tune(table, &split.validation).err()?;
    Some(format!("the threshold stays 0.5: {error}"))
}

/// Rows to validate on, beside what `fitted` has of them.
fn on_device(rows: Rows, fitted: &FittedModel) -> Result<Validation, Error> {
    let (encoder, device) = (&fitted.encoder, &fitted.device);
    let context = fitted.context.as_ref();
    Ok(Validation {
        targets: Targets::new(rows.targets.slots, rows.targets.original.clone())?,
        rows: TabularDataset::new(rows.features, device),
        scales: scales(encoder),
        constants: constants(encoder),
        context: context.map(|context| context.to_device(device)),
    })
}

/// The note on weights that nothing trains.
fn untrained(config: &EstimatorConfig) -> Option<String> {
    let file = config.model.weights().filter(|_| !config.trains())?;
    Some(format!(
        "the weights in {} are used as they are, nothing is trained (training.epochs trains them \
         further)",
        file.display()
    ))
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
