//! Safetensors files written by others, PyTorch's above all.

use std::collections::BTreeMap;
use std::path::Path;

use super::StateDict;
use super::header::{Fault, HeaderText};
use super::source::Source;
use crate::ForgeError;

/// What a safetensors file may carry beside its tensors: one text by name.
pub type SafetensorsMetadata = BTreeMap<String, String>;

/// Most tensors of a file.
const MOST_TENSORS: usize = 10_000;

impl StateDict {
    /// Reads any safetensors file: every tensor under its own name, in its own element type and
    /// layout, and the metadata of the header.
    ///
    /// For the authors' checkpoints of a model; this library's own files are checked further, by
    /// [`TensorFile`](crate::TensorFile).
    ///
    /// # Errors
    /// An I/O error, or an artifact error saying what is wrong with the file: a header of more than
    /// 16 MiB, more than 10,000 tensors or a tensor of more than eight axes too. Never panics, whatever the bytes.
    pub fn read_safetensors(
        path: impl AsRef<Path>,
    ) -> Result<(Self, SafetensorsMetadata), ForgeError> {
        let path = path.as_ref();
        let source = Source::open(path).map_err(|e| ForgeError::io(path, e))?;
        read(path, &source)
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
        read(path.as_ref(), &Source::Memory(bytes))
    }
}

fn read(path: &Path, source: &Source<'_>) -> Result<(StateDict, SafetensorsMetadata), ForgeError> {
    let bad = |e: String| ForgeError::damaged(path, format!("not a whole safetensors file: {e}"));
    let header = HeaderText::read(source).map_err(|fault| match fault {
        Fault::Io(error) => ForgeError::io(path, error),
        Fault::Damaged(reason) => ForgeError::damaged(path, reason),
    })?;
    let entries = header
        .entries(source.len() - header.data_start, MOST_TENSORS)
        .map_err(bad)?;
    let metadata = header.metadata().map_err(bad)?.unwrap_or_default();
    let data_start = header.data_start;
    drop(header);
    let mut state = StateDict::default();
    for entry in entries {
        let data = entry
            .read(source, data_start)
            .map_err(|e| ForgeError::io(path, e))?;
        state.tensors.insert(entry.name.into_string(), data);
    }
    Ok((state, metadata))
}
