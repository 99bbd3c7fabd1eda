//! The run.

use burn::tensor::Device;
use forge_nn::ForgeError;
use forge_nn::cell::Genotype;
use forge_train::checkpoint::CheckpointFolder;
use forge_train::optimizer::NamedOptimizer;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::arcs::ArcSearch;
use super::optimisers::{of_architecture, of_weights};
use super::strengths::StrengthSearch;
use super::{SearchConfig, SearchData, SearchMethod, SearchTask};

/// A search for a cell, step by step.
///
/// A step moves the architecture by a batch of the validation set and the weights by one of the training
/// set. It is the same for the same seed, and [saved](Self::save) and resumed it goes on bit by bit as
/// if it had never stopped.
///
/// ```
/// use forge_meta::search::{Search, SearchConfig, SearchData, SearchLoss, SearchMethod, SearchTask};
/// use forge_nn::burn::tensor::{Device, Distribution, Tensor};
///
/// let device = Device::flex();
/// let rows = |n: usize| {
///     let x = Tensor::<2>::random([n, 3], Distribution::Default, &device);
///     let y = x.clone().narrow(1, 0, 1) * x.clone().narrow(1, 1, 1);
///     SearchData::rows(x, y)
/// };
/// let (train, validation) = (rows(32), rows(32));
/// let task = SearchTask { train, validation, loss: SearchLoss::SquaredError };
/// let config = SearchConfig {
///     method: SearchMethod::named("darts_first_order")?,
///     steps: 2,
///     batch_size: 16,
///     d_model: 4,
///     ..SearchConfig::default()
/// };
/// let mut search = Search::new(config, task)?;
/// while !search.is_done() {
///     search.step()?;
/// }
/// assert_eq!(search.genotype()?.nodes.len(), 4);
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Debug)]
pub struct Search {
    pub(super) config: SearchConfig,
    pub(super) task: SearchTask,
    pub(super) kind: Kind,
    pub(super) optimisers: Optimisers,
    pub(super) step: usize,
}

/// What is searched with.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one")]
pub(super) enum Kind {
    Strengths(StrengthSearch),
    Arcs(ArcSearch),
}

/// Of the two steps of a step.
#[derive(Debug)]
pub(super) struct Optimisers {
    pub(super) weights: NamedOptimizer,
    pub(super) architecture: NamedOptimizer,
}

/// What a step said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SearchStep {
    /// Steps taken, this one among them.
    pub step: usize,
    /// Loss on the training batch, before the step.
    pub train_loss: f64,
    /// Loss on the validation batch; absent where the step looks at none.
    pub validation_loss: Option<f64>,
}

/// What a step has to go by.
pub(super) struct StepContext<'a> {
    pub(super) config: &'a SearchConfig,
    pub(super) task: &'a SearchTask,
    /// Where gradients are.
    pub(super) device: Device,
    pub(super) train: SearchData,
    pub(super) validation: SearchData,
    pub(super) step: usize,
}

/// What random numbers are for: each kind has its own at every step.
#[derive(Debug, Clone, Copy)]
pub(super) enum Draw {
    TrainBatch,
    ValidationBatch,
    Weights,
    Architecture,
    Candidates,
}

/// The numbers of a step.
pub(super) fn random(seed: u64, step: usize, of: Draw) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(8 * step as u64 + of as u64);
    random
}

impl StepContext<'_> {
    pub(super) fn random(&self, of: Draw) -> ChaCha8Rng {
        random(self.config.seed, self.step, of)
    }
}

/// A loss on the host.
///
/// # Errors
/// A training error if it is not finite.
pub(super) fn finite(loss: f64, of: &str, step: usize) -> Result<f64, ForgeError> {
    match loss.is_finite() {
        true => Ok(loss),
        false => Err(ForgeError::training(format!(
            "the {of} loss of the search is {loss} at step {step}: lower weight_rate or scale the data"
        ))),
    }
}

impl Search {
    /// A search that has taken no step, on the device of the task's data. Its first weights follow the
    /// seed, for which it seeds the device.
    ///
    /// # Errors
    /// As [`SearchConfig::validate`] and [`SearchTask::validate`]; a device error if a latency cannot be
    /// measured.
    pub fn new(config: SearchConfig, task: SearchTask) -> Result<Self, ForgeError> {
        config.validate()?;
        task.validate(config.batch_size)?;
        let device = task.train.x.device().inner();
        let task = SearchTask {
            train: task.train.to_device(&device),
            validation: task.validation.to_device(&device),
            ..task
        };
        device.seed(config.seed);
        let by_arcs = matches!(
            config.method,
            SearchMethod::Enas { .. } | SearchMethod::Random { .. }
        );
        let kind = match by_arcs {
            true => Kind::Arcs(ArcSearch::new(&config, &task, &device)?),
            false => Kind::Strengths(StrengthSearch::new(&config, &task, &device)?),
        };
        let remembers = !matches!(config.method, SearchMethod::ProxylessNas { .. });
        Ok(Self {
            optimisers: Optimisers {
                weights: of_weights(&config)?,
                architecture: of_architecture(remembers)?,
            },
            config,
            task,
            kind,
            step: 0,
        })
    }

    /// Its settings.
    #[must_use]
    pub fn config(&self) -> &SearchConfig {
        &self.config
    }

    /// Steps taken.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.step
    }

    /// Whether it has taken all its steps.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.step >= self.config.steps
    }

    /// The next step.
    ///
    /// # Errors
    /// A training error if a loss or a strength is no longer finite.
    pub fn step(&mut self) -> Result<SearchStep, ForgeError> {
        let config = &self.config;
        let batch = |set: &SearchData, of| {
            let mut random = random(config.seed, self.step, of);
            set.batch(config.batch_size, &mut random)
        };
        let context = StepContext {
            train: batch(&self.task.train, Draw::TrainBatch),
            validation: batch(&self.task.validation, Draw::ValidationBatch),
            device: self.task.train.x.device().autodiff(),
            config,
            task: &self.task,
            step: self.step,
        };
        let said = match &mut self.kind {
            Kind::Strengths(search) => search.step(&context, &mut self.optimisers)?,
            Kind::Arcs(search) => search.step(&context, &mut self.optimisers)?,
        };
        self.step += 1;
        Ok(said)
    }

    /// All steps that are left, with a checkpoint every `every` steps and at the end, where there is a
    /// folder for them.
    ///
    /// # Errors
    /// As [`step`](Self::step) and [`save`](Self::save); a config error if `every` is 0.
    pub fn run(
        &mut self,
        checkpoints: Option<(&CheckpointFolder, usize)>,
    ) -> Result<(), ForgeError> {
        if let Some((_, every)) = checkpoints {
            forge_nn::check::at_least_one("every", every)?;
        }
        while !self.is_done() {
            self.step()?;
            if let Some((folder, every)) = checkpoints
                && (self.step.is_multiple_of(every) || self.is_done())
            {
                self.save(folder)?;
            }
        }
        Ok(())
    }

    /// The cell that the search would choose now.
    ///
    /// # Errors
    /// A training error if a strength or the loss of every candidate is not finite.
    pub fn genotype(&self) -> Result<Genotype, ForgeError> {
        match &self.kind {
            Kind::Strengths(search) => search.genotype(&self.config.space),
            Kind::Arcs(search) => {
                let mut random = random(self.config.seed, self.step, Draw::Candidates);
                search.genotype(&self.config, &self.task, &mut random)
            }
        }
    }
}
