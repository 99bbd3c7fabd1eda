//! Safetensors files written by others, PyTorch's above all.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::{Bytes, TensorData};
use safetensors::tensor::SafeTensors;

use super::StateDict;
use super::tensor_file::burn_dtype;
use crate::ForgeError;

/// What a safetensors file may carry beside its tensors: one text by name.
pub type SafetensorsMetadata = BTreeMap<String, String>;

impl StateDict {
    /// Reads any safetensors file: every tensor under its own name, in its own element type and
    /// layout, and the metadata of the header.
    ///
    /// For the authors' checkpoints of a model; this library's own files are checked further, by
    /// [`TensorFile`](crate::TensorFile).
    ///
    /// # Errors
    /// An I/O error, or an artifact error saying what is wrong with the file. Never panics,
    /// whatever the bytes; allocates about twice the file's size.
    pub fn read_safetensors(
        path: impl AsRef<Path>,
    ) -> Result<(Self, SafetensorsMetadata), ForgeError> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|e| ForgeError::io(path, e))?;
        Self::from_safetensors(path, &bytes)
    }

    /// [`read_safetensors`](Self::read_safetensors) for bytes already in memory; `path` is what
    /// errors name.
    ///
    /// # Errors
    /// As [`read_safetensors`](Self::read_safetensors).
    pub fn from_safetensors(
        path: impl AsRef<Path>,
        bytes: &[u8],
    ) -> Result<(Self, SafetensorsMetadata), ForgeError> {
        let path = path.as_ref();
        let bad = |e: &dyn std::fmt::Display| {
            ForgeError::artifact(path, format!("not a whole safetensors file: {e}"))
        };
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| bad(&e))?;
        let file = SafeTensors::deserialize(bytes).map_err(|e| bad(&e))?;
        let mut state = Self::default();
        for (name, view) in file.iter() {
            let dtype = burn_dtype(view.dtype()).ok_or_else(|| {
                let reason = format!("{name}: no element type {:?}", view.dtype());
                ForgeError::artifact(path, reason)
            })?;
            let bytes = Bytes::from_bytes_vec(view.data().to_vec());
            let data = TensorData::from_bytes(bytes, view.shape().to_vec(), dtype);
            state.tensors.insert(name.to_string(), data);
        }
        let metadata = header.metadata().iter().flatten();
        Ok((
            state,
            metadata.map(|(k, v)| (k.clone(), v.clone())).collect(),
        ))
    }
}
