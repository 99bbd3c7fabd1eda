//! Strategies that do nothing between the tasks' ends.

use forge_nn::ForgeError;

use super::{Stage, Strategy};
use crate::continual::ContinualTask;

/// Goes on with the next task as if there had been none.
#[derive(Debug)]
pub(super) struct FineTuning;

impl<T: ContinualTask> Strategy<T> for FineTuning {}

/// A column per task.
#[derive(Debug)]
pub(super) struct Columns;

impl<T: ContinualTask> Strategy<T> for Columns {
    fn begin(
        &mut self,
        stage: &Stage,
        task: &mut T,
        module: &T::Module,
    ) -> Result<Option<T::Module>, ForgeError> {
        match stage.task {
            0 => Ok(None),
            _ => task.grow(module.clone()).map(Some),
        }
    }
}
