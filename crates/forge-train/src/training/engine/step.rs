//! From gradients to other weights.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use forge_nn::ForgeError;

use super::gradients::no_parameter;
use super::statistics::Statistics;
use super::{Engine, Phase, StepContext, present};
use crate::training::TrainTask;
use crate::training::rule::{Decision, GradientRule, Gradients};

/// How a step went.
#[derive(Debug, Clone)]
pub struct StepOutcome {
    /// The loss before the step, off the graph; that of the first phase where there are several.
    ///
    /// # Shapes
    /// - `[1]`
    pub loss: Tensor<1>,
    /// The rule that had the step left out, by name; absent if the weights moved. Of a step with
    /// several phases, the first that was left out.
    pub skipped_by: Option<String>,
}

/// What has happened in the step that is being made.
#[derive(Debug, Default)]
pub(super) struct Open {
    /// Random numbers are seeded.
    pub(super) begun: bool,
    /// Forward passes so far.
    pub(super) passes: u64,
    /// Batch statistics before the forward pass, where a rule may skip what comes of it.
    pub(super) before: Option<Statistics>,
    /// Some weights moved.
    pub(super) moved: bool,
}

impl<M: Module> Engine<'_, M> {
    /// One whole step: the gradients of `loss`, the rules, the optimisers, the averages.
    ///
    /// # Errors
    /// As [`gradients`](Self::gradients) and [`apply`](Self::apply). After an error the weights are
    /// as before.
    pub fn step(
        &mut self,
        loss: impl FnMut(&M, &StepContext<'_>) -> Result<Tensor<1>, ForgeError>,
    ) -> Result<StepOutcome, ForgeError> {
        let gradients = self.gradients(loss)?;
        let outcome = self.apply(gradients, &Phase::whole())?;
        self.finish_step()?;
        Ok(outcome)
    }

    /// One whole step over `rows` of a task, with all its phases; each phase is computed in
    /// `parts`, one after the other.
    ///
    /// # Errors
    /// As [`step`](Self::step), and what the task finds. After an error in a later phase the
    /// earlier ones have moved their groups.
    pub fn step_task<T: TrainTask<Module = M>>(
        &mut self,
        task: &mut T,
        rows: &[usize],
        parts: usize,
    ) -> Result<StepOutcome, ForgeError> {
        let mut first: Option<StepOutcome> = None;
        for phase in task.phases(&self.context()) {
            let gradients = self.phase_gradients(task, rows, parts, &phase)?;
            let at = self.clock.at(&self.devices[0], &phase.name);
            let gradients = task.gradients(self.module(), gradients, rows, &at)?;
            let outcome = self.apply(gradients, &phase)?;
            match &mut first {
                None => first = Some(outcome),
                Some(first) => {
                    first.skipped_by = first.skipped_by.take().or(outcome.skipped_by);
                }
            }
        }
        if self.open.moved
            && let Some(module) = task.after_step(self.module(), &self.context())?
        {
            self.set_module(module);
        }
        self.finish_step()?;
        first.ok_or_else(|| ForgeError::training("the task has no phase for this step"))
    }

    /// Moves the groups of `phase` by `gradients`, if the rules let it. A step may have several
    /// such calls; [`finish_step`](Self::finish_step) ends it.
    ///
    /// # Errors
    /// What a rule finds; a config error if there is no such group; a training error if no
    /// parameter of the groups has a gradient.
    pub fn apply(
        &mut self,
        gradients: Gradients,
        phase: &Phase,
    ) -> Result<StepOutcome, ForgeError> {
        let moving = self.moving(phase)?;
        let loss = gradients.loss.clone();
        let gradients = Gradients {
            params: self.restrict(gradients.params, &moving),
            loss: gradients.loss,
        };
        let at = self.clock.at(&self.devices[0], &phase.name);
        if gradients.params.is_empty() {
            return Err(no_parameter(&at));
        }
        let module = present(&self.module);
        let (decision, by) = decide(&mut self.rules, module, gradients, &at)?;
        let before = self.open.before.take();
        let skipped_by = match decision {
            Decision::Proceed(gradients) => {
                self.open.moved = true;
                self.optimise(gradients.params, &moving);
                None
            }
            Decision::Skip => {
                if let (Some(before), Some(module)) = (before, self.module.take()) {
                    self.module = Some(before.put_back(module));
                }
                Some(by)
            }
        };
        Ok(StepOutcome { loss, skipped_by })
    }

    /// Ends the step: the averages take the weights in if any moved, and the step counts.
    ///
    /// # Errors
    /// A weights error if the structure of the module is no longer that of an average.
    pub fn finish_step(&mut self) -> Result<(), ForgeError> {
        let open = std::mem::take(&mut self.open);
        if open.moved {
            let at = self.clock.at(&self.devices[0], Phase::WHOLE);
            for averaging in &mut self.averagings {
                averaging.on_step(present(&self.module), &at)?;
            }
        }
        self.clock.step += 1;
        Ok(())
    }

    fn optimise(&mut self, mut grads: GradientsParams, moving: &[usize]) {
        for &i in moving {
            let slot = &mut self.slots[i];
            let mine = match &slot.ids {
                Some(ids) => only(present(&self.module), &mut grads, ids),
                None => std::mem::take(&mut grads),
            };
            slot.set_decay(self.clock.step, self.clock.steps);
            let rates = slot.rates(self.clock.step, self.rates);
            // Taken, so that the optimiser may write in place.
            if let Some(module) = self.module.take() {
                self.module = Some(slot.optimizer.step_at(&rates, module, mine));
            }
        }
    }

    /// The gradients of the groups that move.
    pub(super) fn restrict(&self, mut grads: GradientsParams, moving: &[usize]) -> GradientsParams {
        let mut ids = Vec::new();
        for &i in moving {
            match &self.slots[i].ids {
                Some(of_group) => ids.extend_from_slice(of_group),
                None => return grads,
            }
        }
        only(present(&self.module), &mut grads, &ids)
    }

    /// The groups that a phase moves, by position.
    pub(super) fn moving(&self, phase: &Phase) -> Result<Vec<usize>, ForgeError> {
        if phase.groups.is_empty() {
            return Ok((0..self.slots.len()).collect());
        }
        let position = |name: &String| {
            let found = self.slots.iter().position(|slot| slot.name == *name);
            found.ok_or_else(|| {
                let known: Vec<&str> = self.slots.iter().map(|s| s.name.as_str()).collect();
                let field = format!("the group of phase {}", phase.name);
                ForgeError::config(&field, name, format!("one of {}", known.join(", ")))
            })
        };
        phase.groups.iter().map(position).collect()
    }
}

/// Asks one rule after the other; also says which answered last.
fn decide<M: Module>(
    rules: &mut [Box<dyn GradientRule<M> + '_>],
    module: &M,
    gradients: Gradients,
    at: &StepContext<'_>,
) -> Result<(Decision, String), ForgeError> {
    let mut gradients = gradients;
    for rule in rules {
        match rule.apply(module, gradients, at)? {
            Decision::Proceed(next) => gradients = next,
            Decision::Skip => return Ok((Decision::Skip, rule.name().to_owned())),
        }
    }
    Ok((Decision::Proceed(gradients), String::new()))
}

/// Takes the gradients of some parameters out.
fn only<M: Module>(module: &M, grads: &mut GradientsParams, ids: &[ParamId]) -> GradientsParams {
    struct Only<'a> {
        ids: &'a [ParamId],
        from: &'a mut GradientsParams,
        to: GradientsParams,
    }
    impl ModuleVisitor for Only<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if self.ids.contains(&param.id)
                && let Some(grad) = self.from.remove::<D>(param.id)
            {
                self.to.register(param.id, grad);
            }
        }
    }
    let mut only = Only {
        ids,
        from: grads,
        to: GradientsParams::new(),
    };
    module.visit(&mut only);
    only.to
}
