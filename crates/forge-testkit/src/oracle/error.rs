//! Why a case could not be run.

use std::fmt::Display;

use forge_nn::ForgeError;

/// A case that cannot be read or run: the file is malformed, the model unknown, a tensor missing.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OracleError(String);

impl OracleError {
    /// An error with this message.
    pub fn new(message: impl Display) -> Self {
        Self(message.to_string())
    }
}

impl From<ForgeError> for OracleError {
    fn from(error: ForgeError) -> Self {
        Self::new(error)
    }
}
