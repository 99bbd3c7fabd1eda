//! Rows of old tasks: replayed, or held against the gradient.

use burn::tensor::{Device, Tensor};
use forge_nn::ForgeError;
use forge_train::checkpoint::PartState;

use super::{LessonStep, Stage, Strategy, gradient_of};
use crate::continual::row_memory::seeded;
use crate::continual::{ContinualTask, Gem, RowMemory, project_average};
use crate::functional::Params;

/// What remembered rows are for.
#[derive(Debug)]
pub(super) enum Use {
    /// So many of them beside those of the step, in one mean (Chaudhry et al., arXiv 1902.10486).
    Replay(usize),
    /// No gradient may raise the loss of an old task's memory.
    Each(Gem),
    /// No gradient may raise the loss of so many rows drawn from all of it.
    Average(usize),
}

#[derive(Debug)]
pub(super) struct Episodic {
    pub(super) memory: RowMemory,
    pub(super) rows: Use,
}

impl Episodic {
    /// Rows of the memory for a step; `part` tells steps at one place apart.
    fn drawn(&self, count: usize, step: &LessonStep<'_>, part: u64) -> Vec<usize> {
        let parts = [step.stage.task as u64 | part, step.at.step + 2];
        self.memory.draw(count, &mut seeded(step.stage.seed, parts))
    }
}

impl<T: ContinualTask> Strategy<T> for Episodic {
    fn loss(
        &mut self,
        step: &LessonStep<'_>,
        task: &mut T,
        module: &T::Module,
        loss: Tensor<1>,
    ) -> Result<Tensor<1>, ForgeError> {
        let Use::Replay(count) = self.rows else {
            return Ok(loss);
        };
        if self.memory.is_empty() {
            return Ok(loss);
        }
        // Parts of a batch draw rows of their own.
        let first = step.rows.first().map_or(0, |row| *row as u64);
        let rows = self.drawn(count, step, first << 20);
        let old = task.loss(module, &rows, step.at)?;
        let (new, remembered) = (task.weight(step.rows), task.weight(&rows));
        let share = remembered / (new + remembered);
        Ok(loss * (1.0 - share) + old * share)
    }

    fn sees_gradients(&self) -> bool {
        !self.memory.is_empty() && !matches!(self.rows, Use::Replay(_))
    }

    fn gradients(
        &mut self,
        step: &LessonStep<'_>,
        task: &mut T,
        module: &T::Module,
        gradients: Params,
    ) -> Result<Params, ForgeError> {
        match &self.rows {
            Use::Replay(_) => Ok(gradients),
            Use::Each(gem) => {
                let each = self.memory.by_task().into_iter();
                let each = each.map(|rows| gradient_of(task, module, &rows, step.at));
                let each = each.collect::<Result<Vec<_>, _>>()?;
                Ok(gem.project(&gradients, &each)?.gradient)
            }
            Use::Average(count) => {
                let rows = self.drawn(*count, step, 0);
                let reference = gradient_of(task, module, &rows, step.at)?;
                project_average(&gradients, &reference)
            }
        }
    }

    fn end(&mut self, stage: &Stage, task: &mut T, _: &T::Module) -> Result<(), ForgeError> {
        let rows = &task.task_rows()[stage.task];
        self.memory.learned(stage.task, rows, stage.seed);
        Ok(())
    }

    fn state(&self) -> Result<PartState, ForgeError> {
        PartState::from_json(&self.memory)
    }

    fn restore(&mut self, state: PartState, _: &Device) -> Result<(), ForgeError> {
        self.memory = state.into_json()?;
        Ok(())
    }
}
