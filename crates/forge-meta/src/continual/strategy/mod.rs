//! What is done against forgetting, at each place where something can be.

mod config;
mod episodic;
mod importance;
mod lwf;
mod packed;
mod plain;
mod synaptic;

pub use config::StrategyConfig;

use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use forge_nn::ForgeError;
use forge_train::StepContext;
use forge_train::checkpoint::PartState;

use super::ContinualTask;
use crate::functional::Params;

/// Where the sequence of tasks stands.
#[derive(Debug, Clone)]
pub struct Stage {
    /// The task that is learned, from 0.
    pub task: usize,
    /// How many there are.
    pub tasks: usize,
    /// Seed of the run.
    pub seed: u64,
    /// Where to compute, recording gradients.
    pub device: Device,
}

/// One step of the optimiser in it.
#[derive(Debug, Clone, Copy)]
pub struct LessonStep<'a> {
    /// Which task.
    pub stage: &'a Stage,
    /// The rows of the step, as the [`ContinualTask`] counts them.
    pub rows: &'a [usize],
    /// Which step of the task.
    pub at: &'a StepContext<'a>,
}

/// What is done against forgetting: at the beginning of a task, to the loss, to the gradients, after a
/// step of the optimiser, at the end of the task. Each has a default that does nothing.
///
/// Everything may depend on what it is given, on its own [`state`](Self::state) and on nothing else:
/// then a run that was killed goes on as if it had not been.
pub trait Strategy<T: ContinualTask>: Send {
    /// A task begins: a module to go on with, if it should be another.
    ///
    /// # Errors
    /// What the strategy finds wrong; it ends the run.
    fn begin(
        &mut self,
        stage: &Stage,
        task: &mut T,
        module: &T::Module,
    ) -> Result<Option<T::Module>, ForgeError> {
        let _ = (stage, task, module);
        Ok(None)
    }

    /// The loss to go by, given that of the step's rows.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    fn loss(
        &mut self,
        step: &LessonStep<'_>,
        task: &mut T,
        module: &T::Module,
        loss: Tensor<1>,
    ) -> Result<Tensor<1>, ForgeError> {
        let _ = (step, task, module);
        Ok(loss)
    }

    /// Whether it looks at gradients.
    fn sees_gradients(&self) -> bool {
        false
    }

    /// The gradients to go by, before any rule (clipping, say) has seen them.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    fn gradients(
        &mut self,
        step: &LessonStep<'_>,
        task: &mut T,
        module: &T::Module,
        gradients: Params,
    ) -> Result<Params, ForgeError> {
        let _ = (step, task, module);
        Ok(gradients)
    }

    /// The optimiser has moved the weights: others to go on with, if they should be.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    fn after_step(
        &mut self,
        stage: &Stage,
        module: &T::Module,
        at: &StepContext<'_>,
    ) -> Result<Option<Params>, ForgeError> {
        let _ = (stage, module, at);
        Ok(None)
    }

    /// A task has been learned.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    fn end(&mut self, stage: &Stage, task: &mut T, module: &T::Module) -> Result<(), ForgeError> {
        let _ = (stage, task, module);
        Ok(())
    }

    /// The weights that a task that was learned is computed with, where they are not those of the
    /// module.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    fn network_of(&self, task: usize, module: &T::Module) -> Result<Option<Params>, ForgeError> {
        let _ = (task, module);
        Ok(None)
    }

    /// All that it remembers.
    ///
    /// # Errors
    /// If a tensor cannot be read back.
    fn state(&self) -> Result<PartState, ForgeError> {
        Ok(PartState::default())
    }

    /// Goes on from what [`state`](Self::state) gave, with tensors on `device`.
    ///
    /// # Errors
    /// If the state does not fit.
    fn restore(&mut self, state: PartState, device: &Device) -> Result<(), ForgeError> {
        let _ = device;
        state.into_nothing()
    }
}

/// The gradient of the mean loss over `rows`, whichever task they are of.
pub(super) fn gradient_of<T: ContinualTask>(
    task: &mut T,
    module: &T::Module,
    rows: &[usize],
    at: &StepContext<'_>,
) -> Result<Params, ForgeError> {
    let loss = task.loss(module, rows, at)?;
    let gradients = GradientsParams::from_grads(loss.backward(), module);
    Ok(Params::of_gradients(module, &gradients))
}

/// `gradients` and, where there is one, that of a penalty.
fn with_penalty(gradients: &Params, penalty: Option<Params>) -> Result<Params, ForgeError> {
    match penalty {
        Some(penalty) => gradients.add_scaled(&penalty, 1.0),
        None => Ok(gradients.clone()),
    }
}
