//! Finding a learning rate by trying them all.

mod lr_curve;
mod lr_finder_config;
mod lr_sweep;

pub use lr_curve::{LrCurve, LrPoint};
pub use lr_finder_config::LrFinderConfig;
pub use lr_sweep::LrSweep;

use burn::module::Module;
use forge_nn::{ForgeError, on_worker};

use super::engine::{Engine, Rates};
use super::parts::Parts;
use super::sampler::{Sampler, Shuffle};
use super::{TrainTask, TrainerConfig};

/// The learning-rate range test (Smith 2017): some steps at rates that rise from very low to very
/// high, and the loss at each.
///
/// What was given is as before afterwards, to the bit: module, batch statistics, optimiser, rules,
/// averages and the task's state. Burn cannot tell where its random numbers stand; they are seeded
/// in every step of a run, so that no run depends on whether rates were tried before it.
///
/// Several groups of parameters keep their rates' proportions: what is swept is the first group's
/// highest rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LrFinder {
    config: LrFinderConfig,
}

impl LrFinder {
    /// A finder with these settings.
    ///
    /// # Errors
    /// What [`LrFinderConfig::validate`] finds.
    pub fn new(config: LrFinderConfig) -> Result<Self, ForgeError> {
        config.validate()?;
        Ok(Self { config })
    }

    /// Tries rates for a run of `trainer` from `module` on: its optimiser, batches and gradient
    /// rules. Nothing is validated or written.
    ///
    /// # Errors
    /// As [`Trainer::fit`](crate::Trainer::fit); a training error if the first loss is not finite.
    pub fn find<T: TrainTask>(
        &self,
        trainer: &TrainerConfig,
        task: &mut T,
        module: &T::Module,
    ) -> Result<LrCurve, ForgeError> {
        trainer.validate()?;
        let n_rows = task.n_rows();
        if n_rows == 0 {
            return Err(ForgeError::shape("training set", "0 rows", "at least 1"));
        }
        let config = TrainerConfig {
            // They would only be thrown away.
            ema: None,
            swa: None,
            ..trainer.clone()
        };
        let mut sampler = Shuffle::new(n_rows, config.batch_size, config.seed);
        // `valid` shares nothing with the module, whose running statistics a clone would write to.
        let copy = module.valid();
        let steps = self.config.steps as u64;
        // A schedule that only fits a longer run is of no matter: its rates are not used.
        let planned = steps.max(config.epochs as u64 * sampler.batches() as u64);
        let mut engine = Parts::default().engine(&config, task.groups(), copy, planned)?;
        let state = task.state()?;
        let curve = self.run(&mut engine, task, &mut sampler, config.micro_batches);
        task.restore(state)?;
        curve
    }

    /// Tries rates from where `engine` stands, on the batches that `sampler` gives in epochs of its
    /// own, each computed in `parts`. Engine and task are as before afterwards; the sampler is asked
    /// from epoch 0 on.
    ///
    /// # Errors
    /// As [`Engine::step_task`] and [`Engine::state`]; a training error if the first loss is not
    /// finite.
    pub fn sweep<T: TrainTask>(
        &self,
        engine: &mut Engine<'_, T::Module>,
        task: &mut T,
        sampler: &mut impl Sampler,
        parts: usize,
    ) -> Result<LrCurve, ForgeError> {
        let (mut saved, of_task) = (engine.state()?, task.state()?);
        let curve = self.run(engine, task, sampler, parts);
        engine.restore(&mut saved)?;
        task.restore(of_task)?;
        curve
    }

    fn run<T: TrainTask>(
        &self,
        engine: &mut Engine<'_, T::Module>,
        task: &mut T,
        sampler: &mut impl Sampler,
        parts: usize,
    ) -> Result<LrCurve, ForgeError> {
        let mut sweep = LrSweep::new(self.config)?;
        let device = engine.devices()[0].clone();
        let rates = engine.rates();
        let peak = engine.peak_lr();
        let batches = sampler.batches().max(1);
        let mut step = 0;
        let steps = || {
            while let Some(lr) = sweep.lr() {
                let rows = sampler.rows(step / batches, step % batches)?;
                step += 1;
                engine.set_rates(Rates::Swept(lr / peak));
                let outcome = engine.step_task(task, &rows, parts)?;
                let loss = outcome.loss.try_into_scalar::<f64>().map_err(|e| {
                    ForgeError::device(format!("the loss cannot be read back: {e}"))
                })?;
                sweep.take_in(loss);
            }
            Ok(())
        };
        let result = on_worker(&device, steps);
        engine.set_rates(rates);
        result.and_then(|()| sweep.into_curve())
    }
}
