//! A table as something to train on.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use forge_data::{Augmentation, TabularDataset};
use forge_models::{Context, Model, TabularInput, TabularRows};
use forge_nn::{ForgeError, Forward, Network, Want};
use forge_train::checkpoint::PartState;
use forge_train::loss::Distillation;
use forge_train::metric::Scores;
use forge_train::objective::{
    LossInput, MovingNumbers, Objective, ObjectiveConfig, Predictions, Scale, StepLoss, Targets,
};
use forge_train::precision::Precision;
use forge_train::sampler::{KeyOf, RowKeys};
use forge_train::{StepContext, TrainTask};

use super::predict::{features, predictions};
use super::training_context::{LooksAt, Step};

/// Training and validation rows on a device.
pub(super) struct TableTask {
    pub(super) train: TabularDataset,
    pub(super) validation: Option<Validation>,
    pub(super) objective: ObjectiveConfig,
    pub(super) looks_at: LooksAt,
    /// Whether the model lets the rows of a batch see each other.
    pub(super) rows_interact: bool,
    /// Sample weights of the training rows on the host; empty where all count alike.
    pub(super) weights: Vec<f64>,
    /// What a teacher says of every training row.
    pub(super) teacher: Option<(Tensor<2>, Distillation)>,
    /// Numbers of the loss that move with the run.
    pub(super) moving: MovingNumbers,
    /// What the sampler goes by.
    pub(super) keys: Option<(KeyOf, RowKeys)>,
    /// What is done to the rows of a step.
    pub(super) augmentation: Option<Augmentation>,
    /// Of the run that it is in.
    pub(super) seed: u64,
}

/// Predictions in f32 of a module that computes in `precision`.
fn run(module: &Model, mut input: TabularInput, precision: Precision) -> Forward {
    if !precision.is_half() {
        return module.run(input, Want::PREDICTIONS);
    }
    let cast_rows = |x: &mut TabularRows| x.x_num = x.x_num.take().map(|x| precision.cast(x));
    cast_rows(&mut input.rows);
    input.target = input.target.map(|y| precision.cast(y));
    if let Some(context) = &mut input.context {
        cast_rows(&mut context.rows);
        context.target = context.target.take().map(|y| precision.cast(y));
    }
    let forward = module.run(input, Want::PREDICTIONS);
    Forward {
        y: forward.y.cast(DType::F32),
        members: forward.members.map(|each| each.cast(DType::F32)),
        penalty: forward.penalty.map(|penalty| penalty.cast(DType::F32)),
        maps: forward.maps,
    }
}

/// What augments a step draws by: it follows from the run's seed, step and rows, so that a step is the
/// same whenever it is made and its parts differ.
fn augmentation_seed(seed: u64, rows: &[usize], at: &StepContext<'_>) -> u64 {
    let mut hasher = blake3::Hasher::new_derive_key("volatilityforge augmentation");
    hasher.update(&seed.to_le_bytes());
    hasher.update(&at.step.to_le_bytes());
    let first = rows.first().map_or(0, |row| *row as u64);
    hasher.update(&first.to_le_bytes());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(bytes)
}

/// Rows to validate on, without gradients.
pub(super) struct Validation {
    pub(super) rows: TabularDataset,
    /// In the targets' own units.
    pub(super) targets: Targets,
    pub(super) scales: Vec<Scale>,
    /// Target columns that never vary, and what they are predicted as.
    pub(super) constants: Vec<(usize, f64)>,
    /// On the device of the rows.
    pub(super) context: Option<Context>,
}

impl TrainTask for TableTask {
    type Module = Model;

    fn n_rows(&self) -> usize {
        self.train.len()
    }

    fn loss(
        &mut self,
        module: &Model,
        rows: &[usize],
        at: &StepContext<'_>,
    ) -> Result<Tensor<1>, ForgeError> {
        let Step {
            mut input,
            mut predicted,
        } = self.looks_at.step(&self.train, rows, self.seed, at)?;
        let mix = match &self.augmentation {
            None => None,
            Some(augmentation) => {
                let seed = augmentation_seed(self.seed, rows, at);
                let mix = augmentation.apply(&mut predicted, seed);
                input.rows = features(predicted.clone());
                mix.map_err(|e| ForgeError::training(e.to_string()))?
            }
        };
        let lacks = || ForgeError::training("the training rows have no target");
        let target = predicted.y.ok_or_else(lacks)?;
        let forward = run(module, input, at.precision);
        // Where a part of the batch is context, those predicted come last.
        let rows = &rows[rows.len() - target.dims()[0]..];
        let teacher = self.teacher.as_ref().map(|(all, how)| {
            let rows: Vec<i64> = rows.iter().map(|row| *row as i64).collect();
            let rows = TensorData::new(rows.clone(), [rows.len()]);
            let rows = Tensor::<1, Int>::from_data(rows, &all.device());
            let said = all.clone().select(0, rows);
            (said.to_device(&at.device.clone().inner()), *how)
        });
        let weights = predicted.weights;
        let part = |target, weights, teacher| {
            let moving = self.moving.on(at.device);
            let input = LossInput {
                target,
                weights,
                teacher,
                moving,
            };
            self.objective.step_loss(&forward, input)
        };
        let step = match mix {
            None => part(target, weights, teacher),
            Some(mix) if self.objective.n_classes().is_none() => part(
                mix.of_values(target),
                weights.map(|w| mix.of_values(w)),
                teacher.map(|(said, how)| (mix.of_values(said), how)),
            ),
            // Soft targets: the loss is linear in them.
            Some(mix) => {
                let other = part(
                    mix.partners(target.clone()),
                    weights.clone().map(|w| mix.partners(w)),
                    teacher.clone().map(|(said, how)| (mix.partners(said), how)),
                );
                let own = part(target, weights, teacher);
                StepLoss {
                    loss: own.loss * mix.share + other.loss * (1.0 - mix.share),
                    statistics: own.statistics,
                }
            }
        };
        let weight = self.weight(rows);
        self.moving.observe(step.statistics, weight, at);
        Ok(step.loss)
    }

    fn observe_statistics(
        &mut self,
        module: &Model,
        rows: &[usize],
        at: &StepContext<'_>,
    ) -> Result<(), ForgeError> {
        // Of rows as they are when the model is used.
        let Step { input, .. } = self.looks_at.step(&self.train, rows, self.seed, at)?;
        let _ = module.run(input, Want::PREDICTIONS);
        Ok(())
    }

    fn row_keys(&self, by: &KeyOf) -> Result<RowKeys, ForgeError> {
        match &self.keys {
            Some((known, keys)) if known == by => Ok(keys.clone()),
            _ => {
                let allowed = "what the estimator's config asked for";
                Err(ForgeError::config("sampler.by", format!("{by:?}"), allowed))
            }
        }
    }

    fn weight(&self, rows: &[usize]) -> f64 {
        if self.weights.is_empty() {
            rows.len() as f64
        } else {
            let sum: f64 = rows.iter().map(|row| self.weights[*row]).sum();
            // A batch of rows that count nothing has loss 0 and must not be divided by.
            sum.max(f64::MIN_POSITIVE)
        }
    }

    fn rows_interact(&self) -> bool {
        self.rows_interact
    }

    fn after_step(&mut self, _: &Model, _: &StepContext<'_>) -> Result<Option<Model>, ForgeError> {
        self.moving.step(&self.objective);
        Ok(None)
    }

    fn state(&self) -> Result<PartState, ForgeError> {
        self.moving.state()
    }

    fn restore(&mut self, state: PartState) -> Result<(), ForgeError> {
        self.moving.restore(state)
    }

    fn validate(&self, module: &Model) -> Result<Option<Scores>, ForgeError> {
        self.validate_together(std::slice::from_ref(module))
    }

    fn validate_together(&self, modules: &[Model]) -> Result<Option<Scores>, ForgeError> {
        let Some(validation) = &self.validation else {
            return Ok(None);
        };
        self.scores_of(modules, validation).map(Some)
    }
}

impl TableTask {
    /// Makes it ready for a run with this seed, of a network on `device`.
    pub(super) fn begin(&mut self, seed: u64, device: &Device) {
        self.seed = seed;
        self.moving = MovingNumbers::of(&self.objective, device);
    }

    /// How good `module` is on rows that it is not trained on.
    pub(super) fn scores_on(
        &self,
        module: &Model,
        rows: &Validation,
    ) -> Result<Scores, ForgeError> {
        self.scores_of(std::slice::from_ref(module), rows)
    }

    fn scores_of(&self, modules: &[Model], validation: &Validation) -> Result<Scores, ForgeError> {
        let each = modules.iter().map(|module| {
            predictions(
                module,
                &validation.rows,
                validation.context.as_ref(),
                &self.objective,
                &validation.scales,
            )
        });
        let each = each.collect::<Result<Vec<_>, ForgeError>>()?;
        let mut predictions = Predictions::average(&each)?;
        for (slot, value) in &validation.constants {
            predictions.pin(*slot, *value);
        }
        self.objective.scores(&predictions, &validation.targets)
    }

    /// What `module` says of training rows, as they are.
    pub(super) fn forward(
        &self,
        module: &Model,
        rows: &[usize],
        at: &StepContext<'_>,
    ) -> Result<Forward, ForgeError> {
        let Step { input, .. } = self.looks_at.step(&self.train, rows, self.seed, at)?;
        Ok(run(module, input, at.precision))
    }
}
