//! One optimiser step after the other: what a run is without its data.

mod engine_config;
mod gradients;
mod group;
mod prepare;
mod sections;
mod statistics;
mod step;
mod step_context;
mod step_seed;

pub use engine_config::EngineConfig;
pub(crate) use group::Rates;
pub use group::{ParameterGroup, Phase};
pub use step::StepOutcome;
pub use step_context::StepContext;

use std::fmt;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use forge_nn::ForgeError;
use forge_nn::regularisation::with_dropout_factor;
use forge_nn::with_recomputation;

use super::rule::GradientRule;
use crate::averaging::{Averaging, Members};
use crate::metric::Direction;
use crate::optimizer::SamConfig;
use crate::precision::{Precision, autocast, take_statistics};
use crate::schedule::FactorConfig;
use group::Slot;
use step_seed::step_seed;

/// Purpose of the random numbers of blocks that are computed again.
const BLOCKS: &str = "volatilityforge trainer recomputed blocks";

/// Makes optimiser steps: it holds the module that is trained, the optimisers, the rules that
/// look at gradients, the averages and the count of steps. It knows no rows.
///
/// [`Trainer`](crate::Trainer) is a loop over it. By hand:
///
/// ```
/// use forge_nn::burn::nn::LinearConfig;
/// use forge_nn::burn::tensor::{Device, Tensor};
/// use forge_train::rule::ClipNorm;
/// use forge_train::{Engine, EngineConfig};
///
/// let device = Device::flex();
/// let line = LinearConfig::new(1, 1).init(&device);
/// let mut engine = Engine::new(line, EngineConfig { steps: 20, ..Default::default() })?
///     .with_rule(ClipNorm::new(1.0)?);
/// for step in 0..20 {
///     let x = step as f32 / 10.0;
///     engine.step(|line, at| {
///         let x = Tensor::<2>::from_data([[x]], at.device);
///         Ok((line.forward(x.clone()) - x * 3.0).square().mean())
///     })?;
/// }
/// let trained = engine.into_module();
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
///
/// What happens between two steps is one of: [`gradients`](Self::gradients), which only computes;
/// [`apply`](Self::apply), which moves the weights by gradients from wherever;
/// [`finish_step`](Self::finish_step), which tells the averages and counts. [`step`](Self::step)
/// is the three of them.
pub struct Engine<'a, M: Module> {
    /// Absent only while the optimiser has it.
    module: Option<M>,
    /// Recording gradients.
    devices: Vec<Device>,
    seed: u64,
    slots: Vec<Slot>,
    rules: Vec<Box<dyn GradientRule<M> + 'a>>,
    averagings: Vec<Box<dyn Averaging<M> + 'a>>,
    sam: Option<SamConfig>,
    dropout_schedule: FactorConfig,
    gradient_checkpointing: bool,
    rates: Rates,
    clock: Clock,
    /// What has happened in the step that is being made.
    open: step::Open,
}

impl<M: Module> fmt::Debug for Engine<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules: Vec<&str> = self.rules.iter().map(|r| r.name()).collect();
        let averagings: Vec<&str> = self.averagings.iter().map(|a| a.name()).collect();
        f.debug_struct("Engine")
            .field("devices", &self.devices)
            .field("groups", &self.slots)
            .field("rules", &rules)
            .field("averagings", &averagings)
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}

impl<'a, M: Module> Engine<'a, M> {
    /// An engine that trains `module`.
    ///
    /// Weights that Burn has not drawn yet are drawn here: seed the device just before, or call
    /// [`draw_all`](forge_nn::parameters::draw_all) on the module, to have them from a seed of your own. A module on a plain
    /// device is put into training mode (`train()`); one that records gradients already is taken
    /// as it is. Frozen parameters stay as they are.
    ///
    /// # Errors
    /// A config error about optimiser, schedule, groups or devices; a training error if the module
    /// has no parameters.
    pub fn new(module: M, config: EngineConfig) -> Result<Self, ForgeError> {
        let (module, device) = prepare::prepare(module, &config.devices)?;
        config.dropout_schedule.validate("dropout_schedule")?;
        config.precision.check(&device)?;
        if let Some(sam) = &config.sam {
            sam.validate()?;
        }
        let slots = Slot::build(
            &config.groups,
            &module,
            &config.optimizer,
            &config.schedule,
            config.steps,
        )?;
        Ok(Self {
            module: Some(module),
            devices: vec![device],
            seed: config.seed,
            slots,
            rules: Vec::new(),
            averagings: Vec::new(),
            sam: config.sam,
            dropout_schedule: config.dropout_schedule,
            gradient_checkpointing: config.gradient_checkpointing,
            rates: Rates::Scheduled(1.0),
            clock: Clock {
                precision: config.precision,
                epoch: 0,
                step: 0,
                steps: config.steps,
            },
            open: step::Open::default(),
        })
    }

    /// Adds a rule; it sees gradients after the rules that were added before.
    #[must_use]
    pub fn with_rule(mut self, rule: impl GradientRule<M> + 'a) -> Self {
        self.add_rule(Box::new(rule));
        self
    }

    /// Adds an average.
    #[must_use]
    pub fn with_averaging(mut self, averaging: impl Averaging<M> + 'a) -> Self {
        self.add_averaging(Box::new(averaging));
        self
    }

    pub(crate) fn add_rule(&mut self, rule: Box<dyn GradientRule<M> + 'a>) {
        self.rules.push(rule);
    }

    pub(crate) fn add_averaging(&mut self, averaging: Box<dyn Averaging<M> + 'a>) {
        self.averagings.push(averaging);
    }

    /// The module as it is trained.
    #[must_use]
    pub fn module(&self) -> &M {
        present(&self.module)
    }

    /// The module as it is trained.
    #[must_use]
    pub fn into_module(self) -> M {
        match self.module {
            Some(module) => module,
            None => unreachable!("an optimiser step did not give the module back"),
        }
    }

    /// Puts another module in place of the one that is trained. Optimisers and averages go on with
    /// the parameters that have the same ids.
    pub fn set_module(&mut self, module: M) {
        self.module = Some(module);
    }

    /// What would be deployed now, by name, in inference mode: what the averages offer, and the
    /// average of a schedule-free optimiser as `schedule_free`; or the module itself as `module`
    /// where nothing is offered. The last value says whether batch
    /// statistics have to be computed anew: see
    /// [`recompute_statistics`](crate::averaging::recompute_statistics).
    #[must_use]
    pub fn candidates(&self) -> Vec<(String, M, bool)> {
        let offered = self.averagings.iter().filter_map(|averaging| {
            let module = averaging.candidate()?;
            let stale = averaging.needs_statistics();
            Some((averaging.name().to_owned(), module, stale))
        });
        let mut candidates: Vec<_> = offered.collect();
        if self.slots.iter().any(|slot| slot.optimizer.averages()) {
            let module = self.module().valid();
            let slots = self.slots.iter();
            let module = slots.fold(module, |module, slot| slot.optimizer.to_evaluate(module));
            candidates.push(("schedule_free".into(), module, true));
        }
        if candidates.is_empty() {
            candidates.push(("module".into(), self.module().valid(), false));
        }
        candidates
    }

    /// The weights that averages keep one by one, by the averages' names.
    #[must_use]
    pub fn members(&self) -> Vec<(String, Members<M>)> {
        let each = self.averagings.iter();
        each.filter_map(|averaging| Some((averaging.name().to_owned(), averaging.members()?)))
            .collect()
    }

    /// The devices that are computed on, recording gradients; one for the present.
    #[must_use]
    pub fn devices(&self) -> &[Device] {
        &self.devices
    }

    /// Scalars that a step can change: frozen parameters and running statistics are none.
    #[must_use]
    pub fn trainable_parameters(&self) -> usize {
        struct Count(usize);
        impl ModuleVisitor for Count {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                if param.is_require_grad() {
                    self.0 += param.shape().num_elements();
                }
            }
        }
        let mut count = Count(0);
        self.module().visit(&mut count);
        count.0
    }

    /// Steps made.
    #[must_use]
    pub fn steps_done(&self) -> u64 {
        self.clock.step
    }

    /// Where the next step stands.
    #[must_use]
    pub fn context(&self) -> StepContext<'_> {
        self.clock.at(&self.devices[0], Phase::WHOLE)
    }

    /// The learning rate of step `step` (from 0) in the first group.
    #[must_use]
    pub fn lr(&self, step: u64) -> f64 {
        self.slots[0].lr(step, self.rates)
    }

    /// Tells schedules that follow validation scores of one: call it after each validation.
    pub fn take_in_score(&mut self, score: f64, direction: Direction) {
        for slot in &mut self.slots {
            if let Some(plateau) = &mut slot.plateau {
                plateau.take_in(score, direction);
            }
        }
    }

    /// Whether a schedule follows validation scores.
    #[must_use]
    pub fn follows_scores(&self) -> bool {
        self.slots.iter().any(|slot| slot.plateau.is_some())
    }

    pub(crate) fn rates(&self) -> Rates {
        self.rates
    }

    pub(crate) fn set_rates(&mut self, rates: Rates) {
        self.rates = rates;
    }

    /// The highest rate that the first group's schedule reaches.
    pub(crate) fn peak_lr(&self) -> f64 {
        self.slots[0].schedule.config().peak_lr()
    }

    /// Tells the averages that the epoch is over, and goes on to the next.
    ///
    /// # Errors
    /// As [`finish_step`](Self::finish_step).
    pub fn end_epoch(&mut self) -> Result<(), ForgeError> {
        let last = Clock {
            step: self.clock.step.saturating_sub(1),
            ..self.clock
        };
        let at = last.at(&self.devices[0], Phase::WHOLE);
        for averaging in &mut self.averagings {
            averaging.on_epoch(present(&self.module), &at)?;
        }
        self.clock.epoch += 1;
        Ok(())
    }

    /// Epochs that are over.
    #[must_use]
    pub fn epochs_done(&self) -> usize {
        self.clock.epoch
    }

    /// Whether anything but the learning rates of whole groups follows the progress of the run.
    pub(crate) fn follows_progress(&self) -> bool {
        let of_slots = self.slots.iter().any(Slot::follows_progress);
        of_slots || self.dropout_schedule != FactorConfig::Constant
    }

    /// Runs a forward pass with dropout at the rate of the step.
    pub(crate) fn at_step_rate<R>(&self, pass: impl FnOnce() -> R) -> R {
        let Clock { step, steps, .. } = self.clock;
        with_dropout_factor(self.dropout_schedule.at(step, steps), pass)
    }

    /// Runs the forward pass of a step: dropout at its rate, in its precision, keeping what the
    /// config says.
    pub(super) fn forward<R>(
        &mut self,
        pass: impl FnOnce(&M) -> Result<R, ForgeError>,
    ) -> Result<R, ForgeError> {
        let Clock { epoch, step, .. } = self.clock;
        let copy = match self.clock.precision {
            Precision::F32 => None,
            half => Some(autocast(self.module(), half)),
        };
        self.open.passes += 1;
        // Every pass of a step draws for itself.
        let seed = step_seed(BLOCKS, self.seed ^ self.open.passes, epoch, step);
        let value = self.at_step_rate(|| {
            let module = copy.as_ref().unwrap_or(self.module());
            match self.gradient_checkpointing {
                true => with_recomputation(seed, || pass(module)),
                false => pass(module),
            }
        })?;
        if let Some(copy) = copy
            && let Some(module) = self.module.take()
        {
            self.module = Some(take_statistics(module, &copy));
        }
        Ok(value)
    }

    /// Seeds Burn's random numbers by the run's seed, the epoch and the step: the same whether the
    /// run was resumed in between or not.
    pub(crate) fn seed_for(&self, purpose: &str) {
        let Clock { epoch, step, .. } = self.clock;
        self.devices[0].seed(step_seed(purpose, self.seed, epoch, step));
    }
}

/// How far the engine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Clock {
    epoch: usize,
    /// Steps made.
    step: u64,
    /// Steps planned.
    steps: u64,
    precision: Precision,
}

impl Clock {
    fn at<'a>(self, device: &'a Device, phase: &'a str) -> StepContext<'a> {
        StepContext {
            device,
            epoch: self.epoch,
            step: self.step,
            steps: self.steps,
            phase,
            precision: self.precision,
        }
    }
}

fn present<M>(module: &Option<M>) -> &M {
    match module {
        Some(module) => module,
        None => unreachable!("an optimiser step did not give the module back"),
    }
}
