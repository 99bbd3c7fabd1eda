//! What is learned from a batch of tasks.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::ForgeError;
use forge_train::checkpoint::PartState;
use serde_json::Value;

use crate::adaptation::{Task, TaskDistribution};

/// What [`MetaTraining`](super::MetaTraining) moves the module of type `M` by, of tasks with batches `B`.
///
/// Everything may depend on what it is given, on its own [`state`](Self::state), and on Burn's random
/// numbers; on nothing else, so that a run that was killed goes on as if it had not been.
pub trait MetaLearner<M: Module, B>: Send {
    /// Checks its settings.
    ///
    /// # Errors
    /// A config error that names the field, its value and what is allowed.
    fn validate(&self) -> Result<(), ForgeError> {
        Ok(())
    }

    /// Its settings: a checkpoint of others is refused.
    fn identity(&self) -> Value;

    /// The mean loss over the tasks of these numbers, on the graph of `module`'s parameters; `device`
    /// records gradients.
    ///
    /// # Shapes
    /// - output: `[1]`
    ///
    /// # Errors
    /// What is wrong with a task; it ends the run.
    fn loss(
        &mut self,
        module: &M,
        tasks: &dyn TaskDistribution<Batch = B>,
        numbers: &[u64],
        device: &Device,
    ) -> Result<Tensor<1>, ForgeError>;

    /// The loss of a task that `module`, in inference mode, has not learned from: after it has adapted to
    /// the support, on the query.
    ///
    /// # Errors
    /// As [`loss`](Self::loss).
    fn score(&self, module: &M, task: Task<B>) -> Result<f64, ForgeError>;

    /// Runs the module over tasks for its batch statistics alone. Default: nothing.
    ///
    /// # Errors
    /// As [`loss`](Self::loss).
    fn observe(
        &mut self,
        module: &M,
        tasks: &dyn TaskDistribution<Batch = B>,
        numbers: &[u64],
        device: &Device,
    ) -> Result<(), ForgeError> {
        let _ = (module, tasks, numbers, device);
        Ok(())
    }

    /// What it remembers from one step to the next. Default: nothing.
    ///
    /// # Errors
    /// If a tensor cannot be read back.
    fn state(&self) -> Result<PartState, ForgeError> {
        Ok(PartState::default())
    }

    /// Goes on from what [`state`](Self::state) gave.
    ///
    /// # Errors
    /// If the state does not fit.
    fn restore(&mut self, state: PartState) -> Result<(), ForgeError> {
        state.into_nothing()
    }
}
