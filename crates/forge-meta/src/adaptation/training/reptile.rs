//! Reptile in a run.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_graph::Tensors;
use forge_nn::{ForgeError, check};
use forge_train::checkpoint::PartState;
use serde_json::{Value, json};

use super::MetaLearner;
use super::with_gradient::with_gradient;
use crate::adaptation::{Reptile, Task, TaskDistribution};
use crate::functional::{ParamTensor, Params};

/// [`Reptile`] with so many steps on the support of each task.
///
/// Its way from the parameters to the mean of the adapted ones, turned round, is given to the outer
/// optimiser as a gradient (arXiv 1803.02999, §3): plain gradient descent with rate 1 is algorithm 2, and
/// any other optimiser may take its place. The loss that is told is that of the queries after adaptation,
/// which nothing is learned from.
#[derive(Debug)]
pub struct ReptileLearner<I> {
    reptile: Reptile<I>,
    inner_steps: usize,
}

impl<I: Tensors + Clone + 'static> ReptileLearner<I> {
    /// With so many steps on each support.
    ///
    /// # Errors
    /// A config error if `inner_steps` is 0.
    pub fn new(reptile: Reptile<I>, inner_steps: usize) -> Result<Self, ForgeError> {
        check::at_least_one("inner_steps", inner_steps)?;
        Ok(Self {
            reptile,
            inner_steps,
        })
    }
}

impl<M, I> MetaLearner<M, I> for ReptileLearner<I>
where
    M: Module,
    I: Tensors + Clone + 'static,
{
    fn identity(&self) -> Value {
        json!({"reptile": self.reptile.config(), "inner_steps": self.inner_steps})
    }

    fn loss(
        &mut self,
        module: &M,
        tasks: &dyn TaskDistribution<Batch = I>,
        numbers: &[u64],
        device: &Device,
    ) -> Result<Tensor<1>, ForgeError> {
        let device = device.clone().inner();
        let (mut supports, mut queries) = (vec![], vec![]);
        for number in numbers {
            let task = tasks.task(*number, &device)?;
            supports.push(vec![task.support; self.inner_steps]);
            queries.push(task.query);
        }
        let params = Params::of(module);
        let step = self.reptile.step(&params, supports)?;
        let mut value = 0.0;
        for (adapted, query) in step.adapted.iter().zip(queries) {
            let loss: f64 = self.reptile.loss().call(adapted, query)?.into_scalar();
            value += loss / numbers.len() as f64;
        }
        let back = params.add_scaled(&step.params, -1.0)?;
        let back = back.iter().map(|(_, tensor): (_, &ParamTensor)| tensor);
        with_gradient(value, module, back.cloned())
    }

    /// With moments of its own, which start anew.
    fn score(&self, module: &M, task: Task<I>) -> Result<f64, ForgeError> {
        let support = vec![task.support; self.inner_steps];
        let adapted = self.reptile.adapt(&Params::of(module), support)?;
        Ok(self
            .reptile
            .loss()
            .call(&adapted, task.query)?
            .into_scalar())
    }

    fn state(&self) -> Result<PartState, ForgeError> {
        self.reptile.state()
    }

    fn restore(&mut self, state: PartState) -> Result<(), ForgeError> {
        self.reptile.restore(state)
    }
}
