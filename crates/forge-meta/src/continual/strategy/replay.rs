//! Experience replay.

use burn::tensor::{Device, Tensor};
use forge_nn::ForgeError;
use forge_train::checkpoint::PartState;

use super::{LessonStep, Stage, Strategy};
use crate::continual::row_memory::seeded;
use crate::continual::{ContinualTask, RowMemory};

/// Rows of old tasks beside those of the step, in one mean (Chaudhry et al., arXiv 1902.10486).
#[derive(Debug)]
pub(super) struct Replay {
    pub(super) memory: RowMemory,
    /// Rows per step.
    pub(super) batch: usize,
}

impl<T: ContinualTask> Strategy<T> for Replay {
    fn loss(
        &mut self,
        step: &LessonStep<'_>,
        task: &mut T,
        module: &T::Module,
        loss: Tensor<1>,
    ) -> Result<Tensor<1>, ForgeError> {
        if self.memory.is_empty() {
            return Ok(loss);
        }
        let first = step.rows.first().map_or(0, |row| *row as u64);
        // Parts of a batch draw rows of their own.
        let parts = [step.stage.task as u64 | (first << 20), step.at.step + 2];
        let rows = self
            .memory
            .draw(self.batch, &mut seeded(step.stage.seed, parts));
        let old = task.loss(module, &rows, step.at)?;
        let (new, remembered) = (task.weight(step.rows), task.weight(&rows));
        let share = remembered / (new + remembered);
        Ok(loss * (1.0 - share) + old * share)
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
