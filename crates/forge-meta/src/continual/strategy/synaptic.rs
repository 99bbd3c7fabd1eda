//! Synaptic intelligence, as a strategy.

use burn::tensor::Device;
use forge_nn::ForgeError;
use forge_train::StepContext;
use forge_train::checkpoint::PartState;

use super::{LessonStep, Stage, Strategy, with_penalty};
use crate::continual::{ContinualTask, SynapticIntelligence};
use crate::functional::Params;

#[derive(Debug)]
pub(super) struct Synaptic {
    pub(super) paths: SynapticIntelligence,
    /// The task's own gradient and the weights it was taken at, until the step has been made.
    pub(super) pending: Option<(Params, Params)>,
}

impl<T: ContinualTask> Strategy<T> for Synaptic {
    fn begin(
        &mut self,
        _: &Stage,
        _: &mut T,
        module: &T::Module,
    ) -> Result<Option<T::Module>, ForgeError> {
        self.paths.begin(&Params::of(module))?;
        Ok(None)
    }

    fn sees_gradients(&self) -> bool {
        true
    }

    fn gradients(
        &mut self,
        _: &LessonStep<'_>,
        _: &mut T,
        module: &T::Module,
        gradients: Params,
    ) -> Result<Params, ForgeError> {
        let weights = Params::of(module);
        let all = with_penalty(&gradients, self.paths.penalty_gradient(&weights)?)?;
        self.pending = Some((gradients, weights));
        Ok(all)
    }

    fn after_step(
        &mut self,
        _: &Stage,
        module: &T::Module,
        _: &StepContext<'_>,
    ) -> Result<Option<Params>, ForgeError> {
        if let Some((gradient, before)) = self.pending.take() {
            self.paths.moved(&gradient, &before, &Params::of(module))?;
        }
        Ok(None)
    }

    fn end(&mut self, _: &Stage, _: &mut T, module: &T::Module) -> Result<(), ForgeError> {
        self.paths.consolidate(&Params::of(module))
    }

    fn state(&self) -> Result<PartState, ForgeError> {
        self.paths.state()
    }

    fn restore(&mut self, state: PartState, device: &Device) -> Result<(), ForgeError> {
        self.pending = None;
        self.paths.restore(state, device)
    }
}
