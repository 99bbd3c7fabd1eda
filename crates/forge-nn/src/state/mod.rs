//! A module's tensors by name: what files hold and checkpoints restore.

mod safetensors_file;
mod subset;
mod tensor_file;

pub use safetensors_file::SafetensorsMetadata;
pub use subset::{Subset, SubsetReport};
pub use tensor_file::{FileFormat, TensorFile};

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::TensorData;
use burn_store::ModuleSnapshot;

use crate::ForgeError;

/// Every parameter and buffer of a module under its path (`blocks.0.linear.weight`), in name order.
///
/// Enum variants leave no trace in the path. Batch statistics are included; take the state of
/// `module.valid()` to have pending updates of the running statistics written in.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StateDict {
    /// Name to values.
    pub tensors: BTreeMap<String, TensorData>,
    /// Name to Burn parameter id. Optimiser state is keyed by these ids, so a resumed run must
    /// carry them over; files for deployment leave them out.
    pub param_ids: BTreeMap<String, u64>,
}

impl StateDict {
    /// Reads all tensors of `module` back from its device.
    ///
    /// # Errors
    /// A weights error if a tensor cannot be read back.
    pub fn from_module<M: Module>(module: &M) -> Result<Self, ForgeError> {
        let mut state = Self::default();
        for tensor in module.collect(None, None, true) {
            let (name, dtype, shape, id, bytes) = tensor
                .into_parts()
                .map_err(|e| ForgeError::weights(format!("cannot be read back: {e}")))?;
            if let Some(id) = id {
                state.param_ids.insert(name.clone(), id);
            }
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
    /// A weights error naming every missing, left-over or misshapen tensor.
    pub fn load_into<M: Module>(self, mut module: M) -> Result<M, ForgeError> {
        let Self { tensors, param_ids } = self;
        let tensors = tensors
            .into_iter()
            .map(|(name, data)| {
                let id = param_ids.get(&name).copied();
                let (shape, dtype) = (data.shape().clone(), data.dtype());
                burn_pack::Tensor::new(name, dtype, shape, id, data.into_bytes())
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
