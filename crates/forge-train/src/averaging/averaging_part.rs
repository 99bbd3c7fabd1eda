//! What an average of weights has to offer a run.

use burn::module::Module;
use serde_json::{Value, json};

use super::Ema;
use crate::checkpoint::{PartState, RunPart};
use crate::training::StepContext;
use forge_nn::ForgeError;

/// An average of the weights along a run. What it offers is validated beside what the other
/// averages offer, and the best of them is what the run returns.
pub trait Averaging<M: Module>: RunPart {
    /// Takes in the weights after step `at.step`. Steps that a gradient rule skips are not heard
    /// of.
    fn on_step(&mut self, module: &M, at: &StepContext<'_>);

    /// Takes in the weights at the end of an epoch; `at.step` was its last step.
    fn on_epoch(&mut self, module: &M, at: &StepContext<'_>) {
        let _ = (module, at);
    }

    /// What would be deployed now, in inference mode and sharing nothing with the average; absent
    /// as long as there is nothing to average.
    fn candidate(&self) -> Option<M>;

    /// Whether the candidate's batch statistics belong to other weights, so that they have to be
    /// computed anew from the training rows before the candidate is used.
    fn needs_statistics(&self) -> bool {
        false
    }
}

impl<M: Module> RunPart for Ema<M> {
    fn name(&self) -> &str {
        "ema"
    }

    fn config(&self) -> Value {
        json!(Ema::config(self))
    }

    fn state(&self) -> Result<PartState, ForgeError> {
        let tensors = Ema::state(self)?.tensors;
        Ok(PartState::from_json(&self.calls())?.with_tensors(tensors))
    }

    fn restore(&mut self, state: PartState) -> Result<(), ForgeError> {
        let calls = state.read_json()?;
        let tensors = forge_nn::StateDict {
            tensors: state.tensors,
        };
        *self = Ema::restore(Ema::config(self).clone(), &self.module(), tensors, calls)?;
        Ok(())
    }
}

impl<M: Module> Averaging<M> for Ema<M> {
    fn on_step(&mut self, module: &M, _: &StepContext<'_>) {
        self.update(module);
    }

    fn candidate(&self) -> Option<M> {
        Some(self.module())
    }
}
