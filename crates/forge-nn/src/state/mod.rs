//! A module's tensors by name: what files hold and checkpoints restore.

mod digest;
mod dtype;
mod envelope;
mod finite;
mod header;
mod names;
mod safetensors_file;
mod source;
mod subset;
mod tensor_file;

pub use safetensors_file::SafetensorsMetadata;
pub use subset::{Subset, SubsetReport};
pub use tensor_file::{FileFormat, TensorFile, format_name};

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::TensorData;
use burn_store::ModuleSnapshot;

use crate::ForgeError;

/// Every parameter and buffer of a module under its path (`blocks.0.linear.weight`), in name order.
///
/// The name is all that says what a tensor is: the module that a state is loaded into keeps its own
/// parameter ids. Enum variants leave no trace in the path. Batch statistics are included; take the state of
/// `module.valid()` to have pending updates of the running statistics written in.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StateDict {
    /// Name to values.
    pub tensors: BTreeMap<String, TensorData>,
}

impl StateDict {
    /// Reads all tensors of `module` back from its device.
    ///
    /// # Errors
    /// A weights error if a tensor cannot be read back.
    pub fn from_module<M: Module>(module: &M) -> Result<Self, ForgeError> {
        let mut state = Self::default();
        for tensor in module.collect(None, None, true) {
            let (name, dtype, shape, _, bytes) = tensor
                .into_parts()
                .map_err(|e| ForgeError::weights(format!("cannot be read back: {e}")))?;
            // A copy: on wgpu what was read back may share memory that a later operation uses.
            let data = TensorData::from_bytes(bytes.clone(), shape, dtype);
            state.tensors.insert(name, data);
        }
        Ok(state)
    }

    /// Puts the tensors into `module`, which must have exactly these names and shapes.
    ///
    /// A loaded parameter keeps the element type of the data: an f64 state makes an f64 module.
    ///
    /// # Errors
    /// A weights error naming every tensor that is [not finite](Self::check_finite), or else every
    /// missing, left-over or misshapen one.
    pub fn load_into<M: Module>(self, mut module: M) -> Result<M, ForgeError> {
        self.check_finite()?;
        let tensors = self
            .tensors
            .into_iter()
            .map(|(name, data)| {
                let (shape, dtype) = (data.shape().clone(), data.dtype());
                burn_pack::Tensor::new(name, dtype, shape, None, data.into_bytes())
            })
            .collect();
        let result = module.apply(tensors, None, None, true);
        let mut problems: Vec<String> = result.errors.iter().map(ToString::to_string).collect();
        problems.extend(
            result
                .missing
                .iter()
                .map(|(n, _)| format!("{n} is missing")),
        );
        problems.extend(
            result
                .unused
                .iter()
                .map(|n| format!("{n} is not part of the module")),
        );
        if problems.is_empty() {
            Ok(module)
        } else {
            Err(ForgeError::weights(problems.join("; ")))
        }
    }
}
