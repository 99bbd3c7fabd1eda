//! Gradient episodic memory, whole and averaged.

use burn::tensor::Device;
use forge_nn::ForgeError;
use forge_train::checkpoint::PartState;

use super::{LessonStep, Stage, Strategy, gradient_of};
use crate::continual::row_memory::seeded;
use crate::continual::{ContinualTask, Gem, RowMemory, project_average};
use crate::functional::Params;

/// How a gradient is kept from raising what is remembered.
#[derive(Debug)]
pub(super) enum Against {
    /// The gradient of each old task's memory.
    Each(Gem),
    /// That of so many rows drawn from all of it.
    Average(usize),
}

#[derive(Debug)]
pub(super) struct Episodic {
    pub(super) memory: RowMemory,
    pub(super) against: Against,
}

impl<T: ContinualTask> Strategy<T> for Episodic {
    fn sees_gradients(&self) -> bool {
        !self.memory.is_empty()
    }

    fn gradients(
        &mut self,
        step: &LessonStep<'_>,
        task: &mut T,
        module: &T::Module,
        gradients: Params,
    ) -> Result<Params, ForgeError> {
        match &self.against {
            Against::Each(gem) => {
                let each = self.memory.by_task().into_iter();
                let each = each.map(|rows| gradient_of(task, module, &rows, step.at));
                let each = each.collect::<Result<Vec<_>, _>>()?;
                Ok(gem.project(&gradients, &each)?.gradient)
            }
            Against::Average(count) => {
                let parts = [step.stage.task as u64, step.at.step + 2];
                let rows = self
                    .memory
                    .draw(*count, &mut seeded(step.stage.seed, parts));
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
