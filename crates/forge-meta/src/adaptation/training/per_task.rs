//! Methods whose loss is that of single tasks.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::ForgeError;
use serde_json::{Value, json};

use super::MetaLearner;
use crate::adaptation::{Task, TaskDistribution};

/// A method that needs no inner loop, by its loss of one task, `Fn(&M, Task<B>) -> Result<Tensor<1>, _>`:
/// [`prototypical`](crate::adaptation::prototypical) classes, a
/// [`NeuralProcess`](crate::adaptation::NeuralProcess). The loss of a batch is the mean over its tasks.
///
/// Random numbers may be Burn's: they are seeded anew before every step.
#[derive(Debug, Clone)]
pub struct PerTask<F> {
    /// What tells it from other losses: a checkpoint of another name is refused.
    pub name: String,
    /// The loss.
    pub loss: F,
}

impl<F> PerTask<F> {
    /// This loss under this name.
    #[must_use]
    pub fn new(name: impl Into<String>, loss: F) -> Self {
        Self {
            name: name.into(),
            loss,
        }
    }
}

impl<M, B, F> MetaLearner<M, B> for PerTask<F>
where
    M: Module,
    F: Fn(&M, Task<B>) -> Result<Tensor<1>, ForgeError> + Send,
{
    fn identity(&self) -> Value {
        json!({"per_task": self.name})
    }

    fn loss(
        &mut self,
        module: &M,
        tasks: &dyn TaskDistribution<Batch = B>,
        numbers: &[u64],
        device: &Device,
    ) -> Result<Tensor<1>, ForgeError> {
        let mut sum: Option<Tensor<1>> = None;
        for number in numbers {
            let own = (self.loss)(module, tasks.task(*number, device)?)?;
            sum = Some(match sum {
                None => own,
                Some(sum) => sum + own,
            });
        }
        let none = || ForgeError::config("tasks", 0, "at least 1 task");
        Ok(sum.ok_or_else(none)? / numbers.len() as f64)
    }

    fn score(&self, module: &M, task: Task<B>) -> Result<f64, ForgeError> {
        Ok((self.loss)(module, task)?.into_scalar())
    }

    fn observe(
        &mut self,
        module: &M,
        tasks: &dyn TaskDistribution<Batch = B>,
        numbers: &[u64],
        device: &Device,
    ) -> Result<(), ForgeError> {
        self.loss(module, tasks, numbers, device).map(drop)
    }
}
