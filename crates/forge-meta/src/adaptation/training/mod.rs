//! Learning to learn, as a run of the trainer.

mod learner;
mod maml;
mod per_task;
mod reptile;
mod with_gradient;

pub use learner::MetaLearner;
pub use maml::MamlModule;
pub use per_task::PerTask;
pub use reptile::ReptileLearner;

use std::marker::PhantomData;

use burn::module::Module;
use burn::tensor::Tensor;
use forge_nn::{ForgeError, check};
use forge_train::checkpoint::PartState;
use forge_train::metric::Scores;
use forge_train::precision::Precision;
use forge_train::{ParameterGroup, StepContext, TrainTask};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::TaskDistribution;

/// Tasks of a [`TaskDistribution`] as the rows of a [`Trainer`](forge_train::Trainer): the outer loop
/// with the trainer's optimisers, schedules, clipping, averages, early stopping and checkpoints. A batch
/// of rows is the tasks of one meta-step.
///
/// What is learned from a batch of tasks is said by a [`MetaLearner`]: a [`Maml`](super::Maml) of a
/// [`MamlModule`], a [`ReptileLearner`], or a loss of single tasks, [`PerTask`]: prototypes, neural
/// processes. Whatever one remembers (the moments of Reptile's inner Adam) is in section `task` of the
/// checkpoint, learned step sizes are among the weights, and which tasks come follows from seed and step:
/// a run that was killed ends with the same weights, bit for bit.
///
/// The papers draw a new task each time: `n_tasks` as meta-steps times tasks per step, in one epoch, with
/// checkpoints by steps. Fewer tasks and more epochs meet tasks again.
///
/// ```
/// use forge_meta::adaptation::{Maml, MamlConfig, MamlModule, MetaTraining, Sinusoids};
/// use forge_meta::functional::Functional;
/// use forge_nn::burn::nn::{Linear, LinearConfig};
/// use forge_nn::burn::tensor::{Device, Tensor};
/// use forge_train::{Trainer, TrainerConfig};
///
/// let net = LinearConfig::new(1, 1).init(&Device::flex());
/// let loss = |net: &Linear, (x, y): (Tensor<2>, Tensor<2>)| (net.forward(x) - y).square().mean();
/// let config = MamlConfig { learn_rates: true, ..MamlConfig::default() };
/// let maml = Maml::new(config, Functional::capture(&net, loss))?;
/// let start = MamlModule::new(&maml, net)?;
/// let mut training = MetaTraining::new(Sinusoids::default(), maml, 40)?.validated_on(1 << 32, 10)?;
/// let config = TrainerConfig { epochs: 1, batch_size: 4, ..TrainerConfig::default() };
/// let outcome = Trainer::new(config)?.fit(&mut training, start)?;
/// assert_eq!(outcome.steps, 10);
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Debug)]
pub struct MetaTraining<D, L, M> {
    tasks: D,
    learner: L,
    n_tasks: usize,
    first: u64,
    /// First task and number.
    validation: Option<(u64, usize)>,
    groups: Vec<ParameterGroup>,
    module: PhantomData<fn() -> M>,
}

/// What a checkpoint has of a [`MetaTraining`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    identity: Value,
    learner: Value,
}

impl<D, L, M> MetaTraining<D, L, M>
where
    D: TaskDistribution,
    L: MetaLearner<M, D::Batch>,
    M: Module,
{
    /// With tasks number 0 to `n_tasks - 1` as the rows of an epoch.
    ///
    /// # Errors
    /// A config error if `n_tasks` is 0; what [`MetaLearner::validate`] finds.
    pub fn new(tasks: D, learner: L, n_tasks: usize) -> Result<Self, ForgeError> {
        check::at_least_one("n_tasks", n_tasks)?;
        learner.validate()?;
        Ok(Self {
            tasks,
            learner,
            n_tasks,
            first: 0,
            validation: None,
            groups: vec![ParameterGroup::all()],
            module: PhantomData,
        })
    }

    /// With tasks from this number on. Default: 0.
    ///
    /// # Errors
    /// A config error if a task that is [validated on](Self::validated_on) is among them.
    pub fn starting_at(mut self, first: u64) -> Result<Self, ForgeError> {
        self.first = first;
        self.with_tasks_apart()
    }

    /// Validates by the mean [score](MetaLearner::score) of `count` tasks from number `first` on, as
    /// `meta_loss`. They may not be among those that are trained on.
    ///
    /// # Errors
    /// A config error if `count` is 0 or a task is in both.
    pub fn validated_on(mut self, first: u64, count: usize) -> Result<Self, ForgeError> {
        check::at_least_one("tasks to validate on", count)?;
        self.validation = Some((first, count));
        self.with_tasks_apart()
    }

    /// Itself, unless a task is trained and validated on.
    fn with_tasks_apart(self) -> Result<Self, ForgeError> {
        let Some((first, count)) = self.validation else {
            return Ok(self);
        };
        let trained = self.first..self.first.saturating_add(self.n_tasks as u64);
        let shared = first < trained.end && trained.start < first.saturating_add(count as u64);
        if shared {
            let allowed = format!("tasks outside of {trained:?}, which are trained on");
            let value = format!("{count} from {first} on");
            return Err(ForgeError::config("tasks to validate on", value, allowed));
        }
        Ok(self)
    }

    /// With optimisers or learning rates of their own for some parameters. Those of a [`MamlModule`] are
    /// under `net` and `rates`. Default: the run's for all.
    #[must_use]
    pub fn with_groups(mut self, groups: Vec<ParameterGroup>) -> Self {
        self.groups = groups;
        self
    }

    /// What learns.
    #[must_use]
    pub fn learner(&self) -> &L {
        &self.learner
    }

    fn numbers(&self, rows: &[usize]) -> Vec<u64> {
        let number = |row: &usize| self.first.wrapping_add(*row as u64);
        rows.iter().map(number).collect()
    }

    fn identity(&self) -> Value {
        json!({
            "learner": self.learner.identity(),
            "first": self.first,
            "n_tasks": self.n_tasks,
            "validation": self.validation,
        })
    }
}

impl<D, L, M> TrainTask for MetaTraining<D, L, M>
where
    D: TaskDistribution,
    L: MetaLearner<M, D::Batch>,
    M: Module + 'static,
{
    type Module = M;

    fn n_rows(&self) -> usize {
        self.n_tasks
    }

    fn loss(
        &mut self,
        module: &M,
        rows: &[usize],
        at: &StepContext<'_>,
    ) -> Result<Tensor<1>, ForgeError> {
        if at.precision != Precision::F32 {
            let value = format!("{:?}", at.precision);
            return Err(ForgeError::config(
                "precision",
                value,
                "f32 in meta-training",
            ));
        }
        let numbers = self.numbers(rows);
        self.learner.loss(module, &self.tasks, &numbers, at.device)
    }

    fn validate(&self, module: &M) -> Result<Option<Scores>, ForgeError> {
        let Some((first, count)) = self.validation else {
            return Ok(None);
        };
        let device = module.devices().into_iter().next().unwrap_or_default();
        let mut sum = 0.0;
        for number in 0..count as u64 {
            let task = self.tasks.task(first.wrapping_add(number), &device)?;
            sum += self.learner.score(module, task)?;
        }
        Ok(Some(
            Scores::new().minimize("meta_loss", sum / count as f64),
        ))
    }

    fn groups(&self) -> Vec<ParameterGroup> {
        self.groups.clone()
    }

    fn observe_statistics(
        &mut self,
        module: &M,
        rows: &[usize],
        at: &StepContext<'_>,
    ) -> Result<(), ForgeError> {
        let numbers = self.numbers(rows);
        self.learner
            .observe(module, &self.tasks, &numbers, at.device)
    }

    fn state(&self) -> Result<PartState, ForgeError> {
        let learner = self.learner.state()?;
        let saved = Saved {
            identity: self.identity(),
            learner: learner.json,
        };
        Ok(PartState::from_json(&saved)?.with_tensors(learner.tensors))
    }

    fn restore(&mut self, state: PartState) -> Result<(), ForgeError> {
        let saved: Saved = state.read_json()?;
        let own = self.identity();
        if saved.identity != own {
            let allowed = format!(
                "{}, as in the checkpoint; set that again or take another folder",
                saved.identity
            );
            return Err(ForgeError::config("meta-training", own, allowed));
        }
        let json = saved.learner;
        self.learner.restore(PartState {
            json,
            tensors: state.tensors,
        })
    }
}
