//! One file.

use std::path::{Path, PathBuf};

use burn::tensor::TensorData;
use forge_nn::StateDict;
use serde_json::Value;

use super::OracleError;

/// Whether the reference ran as in training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Running statistics, no dropout.
    Eval,
    /// Statistics of the batch; still no dropout.
    Train,
}

/// A case as read from its file.
#[derive(Debug, Clone)]
pub struct Case {
    /// Where it is from.
    pub path: PathBuf,
    /// Name of the model or component.
    pub model: String,
    /// Name of the case.
    pub name: String,
    /// The config, a JSON object.
    pub config: Value,
    /// How the reference ran.
    pub mode: Mode,
    /// Tensors by key; the key says what each is.
    pub tensors: StateDict,
}

impl Case {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// If it is not a whole safetensors file, lacks metadata, has no outputs, or holds a value that
    /// is not finite.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, OracleError> {
        let path = path.as_ref();
        // The runner's line names the file already.
        let bytes = std::fs::read(path).map_err(|e| OracleError::new(format!("{e}")))?;
        let (tensors, metadata) = StateDict::from_safetensors("file", &bytes)?;
        let entry = |key: &str| {
            let lacks = || OracleError::new(format!("the metadata has no '{key}'"));
            metadata.get(key).cloned().ok_or_else(lacks)
        };
        let config: Value = serde_json::from_str(&entry("config")?)
            .map_err(|e| OracleError::new(format!("'config' is not JSON: {e}")))?;
        if !config.is_object() {
            return Err(OracleError::new("'config' is not a JSON object"));
        }
        let mode = match entry("mode")?.as_str() {
            "eval" => Mode::Eval,
            "train" => Mode::Train,
            other => {
                return Err(OracleError::new(format!(
                    "mode '{other}', not eval or train"
                )));
            }
        };
        if !tensors.tensors.keys().any(|key| key.starts_with("output/")) {
            return Err(OracleError::new("no output/… in the file"));
        }
        for (key, data) in &tensors.tensors {
            if data.dtype().is_float() && !data.iter::<f64>().all(f64::is_finite) {
                return Err(OracleError::new(format!(
                    "{key} holds a value that is not finite"
                )));
            }
        }
        Ok(Self {
            path: path.into(),
            model: entry("model")?,
            name: entry("case")?,
            config,
            mode,
            tensors,
        })
    }

    /// The tensor `key`, if the file has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&TensorData> {
        self.tensors.tensors.get(key)
    }

    /// Keys that hold results to compare with.
    pub(super) fn expected(&self) -> impl Iterator<Item = (&str, &TensorData)> {
        let given = ["param/", "input/", "cotangent/"];
        let tensors = self
            .tensors
            .tensors
            .iter()
            .map(|(key, data)| (key.as_str(), data));
        tensors.filter(move |(key, _)| !given.iter().any(|prefix| key.starts_with(prefix)))
    }

    /// Keys that the computation has to read.
    pub(super) fn given(&self) -> impl Iterator<Item = &str> {
        let given = ["param/", "input/", "cotangent/"];
        let keys = self.tensors.tensors.keys().map(String::as_str);
        keys.filter(move |key| given.iter().any(|prefix| key.starts_with(prefix)))
    }
}
