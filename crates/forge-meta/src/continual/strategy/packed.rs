//! PackNet, as a strategy.

use burn::tensor::Device;
use forge_nn::ForgeError;
use forge_train::StepContext;
use forge_train::checkpoint::PartState;

use super::{LessonStep, Stage, Strategy};
use crate::continual::{ContinualTask, PackNet, PackNetConfig};
use crate::functional::Params;

/// Prunes before the end of each task and goes on training what is left.
#[derive(Debug)]
pub(super) struct Packed {
    /// Without layers: all matrices.
    pub(super) config: PackNetConfig,
    /// Part of a task's steps that comes after pruning.
    pub(super) retrain: f64,
    /// Once the first task has begun.
    pub(super) net: Option<PackNet>,
    /// Whether the task in progress has been pruned.
    pub(super) pruned: bool,
}

impl Packed {
    fn net(&mut self) -> Result<&mut PackNet, ForgeError> {
        let missing = || ForgeError::training("pack_net: no task has begun");
        self.net.as_mut().ok_or_else(missing)
    }
}

impl<T: ContinualTask> Strategy<T> for Packed {
    fn begin(
        &mut self,
        _: &Stage,
        _: &mut T,
        module: &T::Module,
    ) -> Result<Option<T::Module>, ForgeError> {
        self.pruned = false;
        if let Some(net) = &mut self.net {
            net.next_task()?;
            return Ok(None);
        }
        let weights = Params::of(module);
        let mut config = self.config.clone();
        if config.layers.is_empty() {
            let matrices = weights.iter().filter(|(_, w)| w.shape().len() > 1);
            config.layers = matrices.map(|(name, _)| name.to_string()).collect();
        }
        self.net = Some(PackNet::new(config, &weights)?);
        Ok(None)
    }

    fn sees_gradients(&self) -> bool {
        true
    }

    fn gradients(
        &mut self,
        _: &LessonStep<'_>,
        _: &mut T,
        _: &T::Module,
        gradients: Params,
    ) -> Result<Params, ForgeError> {
        Ok(self.net()?.masked_gradient(&gradients))
    }

    fn after_step(
        &mut self,
        _: &Stage,
        module: &T::Module,
        at: &StepContext<'_>,
    ) -> Result<Option<Params>, ForgeError> {
        let weights = Params::of(module);
        let kept = (at.steps as f64 * (1.0 - self.retrain)).ceil().max(1.0);
        let prune_now = !self.pruned && (at.step + 1) as f64 >= kept;
        // Momentum and decay move weights that have no gradient.
        let held = self.net()?.held(&weights)?;
        if !prune_now {
            return Ok(Some(held));
        }
        self.pruned = true;
        self.net()?.prune(&held).map(Some)
    }

    fn end(&mut self, _: &Stage, _: &mut T, module: &T::Module) -> Result<(), ForgeError> {
        self.net()?.settle(&Params::of(module));
        Ok(())
    }

    fn network_of(&self, task: usize, module: &T::Module) -> Result<Option<Params>, ForgeError> {
        let Some(net) = &self.net else {
            return Ok(None);
        };
        let number = u32::try_from(task + 1).unwrap_or(u32::MAX);
        // A task that is still to come is asked of all that there is.
        net.network_of(number.min(net.task()), &Params::of(module))
            .map(Some)
    }

    fn state(&self) -> Result<PartState, ForgeError> {
        let Some(net) = &self.net else {
            return Ok(PartState::default());
        };
        let state = net.state()?;
        let json = PartState::from_json(&(self.pruned, state.json))?;
        Ok(json.with_tensors(state.tensors))
    }

    fn restore(&mut self, state: PartState, device: &Device) -> Result<(), ForgeError> {
        let (pruned, json) = state.read_json()?;
        self.pruned = pruned;
        let tensors = state.tensors;
        self.net()?.restore(PartState { tensors, json }, device)
    }
}
