//! What an average of weights has to offer a run.

use burn::module::Module;
use serde_json::{Value, json};

use super::{Applied, Ema, Members};
use crate::checkpoint::{PartState, RunPart};
use crate::training::StepContext;
use forge_nn::ForgeError;

/// An average of the weights along a run. What it offers is validated beside what the other
/// averages offer, and the best of them is what the run returns.
pub trait Averaging<M: Module>: RunPart {
    /// Takes in the weights after step `at.step`. Steps that a gradient rule skips are not heard
    /// of.
    ///
    /// # Errors
    /// A weights error if the structure of the module has changed; it ends the run.
    fn on_step(&mut self, module: &M, at: &StepContext<'_>) -> Result<(), ForgeError>;

    /// Takes in the weights at the end of an epoch; `at.step` was its last step.
    ///
    /// # Errors
    /// As [`on_step`](Self::on_step).
    fn on_epoch(&mut self, module: &M, at: &StepContext<'_>) -> Result<(), ForgeError> {
        let _ = (module, at);
        Ok(())
    }

    /// What would be deployed now, in inference mode and sharing nothing with the average; absent
    /// as long as there is nothing to average.
    fn candidate(&self) -> Option<M>;

    /// Whether the candidate's batch statistics belong to other weights, so that they have to be
    /// computed anew from the training rows before the candidate is used.
    fn needs_statistics(&self) -> bool {
        false
    }

    /// Weights that were kept one by one, where the average keeps any: what they are together is
    /// validated at the end of the run.
    fn members(&self) -> Option<Members<M>> {
        None
    }

    /// Puts the average in the place of the weights that are trained, until
    /// [`restore`](Applied::restore): to validate or save it in a loop of your own. Where there is
    /// nothing to average yet it is the weights themselves, in inference mode.
    fn apply(&self, live: M) -> Applied<M> {
        let average = self.candidate().unwrap_or_else(|| live.valid());
        Applied::new(average, live)
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
    fn on_step(&mut self, module: &M, _: &StepContext<'_>) -> Result<(), ForgeError> {
        self.update(module)
    }

    fn candidate(&self) -> Option<M> {
        Some(self.module())
    }
}
