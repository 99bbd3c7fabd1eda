//! Loading and saving under the reference's names.

use std::path::Path;

use burn::tensor::Device;
use forge_nn::{ForgeError, StateDict};

use super::KeyMap;
use crate::ParameterCount;

/// Values that a config may ask for beyond twice what the checkpoint has.
const SPARE: usize = 65_536;

/// A model that reads its authors' checkpoints.
pub trait ReferenceWeights: ParameterCount {
    /// The implementation whose names [`key_map`](Self::key_map) has: package and version, or
    /// repository, and class.
    const REFERENCE: &'static str;

    /// The reference's names of the tensors of this config's module.
    fn key_map(&self) -> KeyMap;

    /// Makes the module on `device` with the weights of a checkpoint of the reference (the
    /// `state_dict` of the PyTorch module).
    ///
    /// Strict: every tensor must be there with its shape, and none besides, apart from counters
    /// that the key map declares unread. The module keeps the checkpoint's element type: an f64
    /// checkpoint makes an f64 module.
    ///
    /// # Errors
    /// A config error; or a weights error naming each tensor that is missing, left over or
    /// misshapen. A config that asks for far more parameters than the checkpoint has is refused
    /// before anything is allocated.
    fn load_reference(
        &self,
        checkpoint: &StateDict,
        device: &Device,
    ) -> Result<Self::Module, ForgeError> {
        self.validate()?;
        check_size(self.parameter_count(), checkpoint)?;
        let module = self.build(device);
        let like = StateDict::from_module(&module)?;
        self.key_map()
            .to_module(checkpoint, &like)?
            .load_into(module)
    }

    /// [`load_reference`](Self::load_reference) from a safetensors file.
    ///
    /// # Errors
    /// Those, and what is wrong with the file.
    fn load_reference_file(
        &self,
        path: impl AsRef<Path>,
        device: &Device,
    ) -> Result<Self::Module, ForgeError> {
        let (checkpoint, _) = StateDict::read_safetensors(path)?;
        self.load_reference(&checkpoint, device)
    }

    /// The module's tensors under the reference's names: a `state_dict` that the PyTorch module
    /// takes with `load_state_dict(…, strict=False)` (strict where the reference keeps no batch
    /// counters).
    ///
    /// # Errors
    /// A weights error if a tensor cannot be read back.
    fn to_reference(&self, module: &Self::Module) -> Result<StateDict, ForgeError> {
        let state = StateDict::from_module(module)?;
        let tensors = self.key_map().to_reference(&state.tensors)?;
        Ok(StateDict { tensors })
    }
}

/// Refuses a config of far more parameters than a checkpoint has values.
pub(crate) fn check_size(needed: usize, checkpoint: &StateDict) -> Result<(), ForgeError> {
    let values = checkpoint.tensors.values();
    let there: usize = values.map(|data| data.num_elements()).sum();
    // Not exact: a checkpoint that merely lacks a tensor shall be told which.
    if needed <= 2 * there + SPARE {
        return Ok(());
    }
    let what = format!("the config has {needed} parameters, the checkpoint {there} values");
    Err(ForgeError::weights(what))
}
