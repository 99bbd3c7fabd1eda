//! A mean of weights that grows set by set.

use burn::module::Module;
use forge_nn::parameters::{Floats, lerp};
use forge_nn::{ForgeError, StateDict};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::checkpoint::PartState;

/// A mean of weights that grows set by set. Trainable parameters are averaged; buffers (batch
/// statistics) and frozen parameters are those of the newest set.
#[derive(Debug)]
pub(super) struct RunningMean<M> {
    mean: M,
    sets: u64,
}

impl<M: Module> RunningMean<M> {
    /// Of nothing yet; `module` gives structure and device.
    pub(super) fn new(module: &M) -> Self {
        Self {
            // `valid` makes the running statistics anew; a clone would share them with the module.
            mean: module.valid(),
            sets: 0,
        }
    }

    pub(super) fn sets(&self) -> u64 {
        self.sets
    }

    /// Takes one more set in, with the same weight as each before.
    pub(super) fn take(&mut self, module: &M) -> Result<(), ForgeError> {
        // `kept` is 1 less the newest's share, rounded once.
        let n = self.sets as f64;
        self.take_keeping(module, n / (n + 1.0))
    }

    /// Takes one more set in; the mean so far keeps the weight `kept`. The first set is copied.
    pub(super) fn take_keeping(&mut self, module: &M, kept: f64) -> Result<(), ForgeError> {
        let newest = module.valid();
        self.mean = if self.sets == 0 {
            newest
        } else {
            // θ + kept (s - θ): in this form equal weights stay as they are, to the bit.
            lerp(newest, &self.mean, kept, Floats::Trainable).map_err(another_module)?
        };
        self.sets += 1;
        Ok(())
    }

    /// The mean in inference mode, sharing nothing with this; absent before the first set.
    pub(super) fn module(&self) -> Option<M> {
        (self.sets > 0).then(|| self.mean.valid())
    }

    /// With whatever else the average remembers.
    pub(super) fn state(&self, heard: &impl Serialize) -> Result<PartState, ForgeError> {
        let tensors = StateDict::from_module(&self.mean)?.tensors;
        let counts = Counts {
            heard,
            averaged: self.sets,
        };
        Ok(PartState::from_json(&counts)?.with_tensors(tensors))
    }

    /// Takes up a [`state`](Self::state); gives back what the average remembers beside it.
    pub(super) fn restore<H: DeserializeOwned>(
        &mut self,
        state: PartState,
    ) -> Result<H, ForgeError> {
        let counts: Counts<H> = state.read_json()?;
        let tensors = StateDict {
            tensors: state.tensors,
        };
        self.mean = tensors.load_into(self.mean.valid())?;
        self.sets = counts.averaged;
        Ok(counts.heard)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counts<H> {
    heard: H,
    /// Sets of weights in the mean.
    averaged: u64,
}

/// Says of an error about names and shapes where it comes from.
pub(super) fn another_module(error: ForgeError) -> ForgeError {
    ForgeError::weights(format!(
        "the average is of another module: {}; begin a new average where the structure changes",
        error.reason()
    ))
}

/// The mean of the weights of several modules of one structure, all with the same weight: an
/// ensemble in one module (Wortsman et al. 2022, a uniform soup).
///
/// Trainable parameters are averaged; buffers and frozen parameters are the last module's. **Batch
/// statistics** are then those of other weights: compute them anew with
/// [`recompute_statistics`](super::recompute_statistics). Weights of networks that were trained
/// apart from different initial weights have no common meaning; average their predictions instead.
///
/// The result is in inference mode and shares nothing with the modules.
///
/// # Errors
/// A config error without modules; a weights error naming every tensor that only some of them
/// have, or that differs in shape.
pub fn average_weights<'m, M: Module + 'm>(
    modules: impl IntoIterator<Item = &'m M>,
) -> Result<M, ForgeError> {
    let mut mean: Option<RunningMean<M>> = None;
    for module in modules {
        mean.get_or_insert_with(|| RunningMean::new(module))
            .take(module)?;
    }
    let mean = mean.and_then(|mean| mean.module());
    mean.ok_or_else(|| ForgeError::config("modules", "none", "at least one to average"))
}
