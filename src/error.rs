//! The error of the one-call API.

use forge_data::DataError;
use forge_nn::ForgeError;

/// What went wrong: bad data (file, row, column), a bad setting (field, value, allowed range), a
/// damaged model file, a device that is not there.
///
/// Opaque: ask it with the predicates, show it with `Display`.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(#[from] Source);

#[derive(Debug, thiserror::Error)]
enum Source {
    #[error(transparent)]
    Data(DataError),
    #[error(transparent)]
    Forge(ForgeError),
}

impl From<DataError> for Error {
    fn from(error: DataError) -> Self {
        Self(Source::Data(error))
    }
}

impl From<ForgeError> for Error {
    fn from(error: ForgeError) -> Self {
        Self(Source::Forge(error))
    }
}

impl Error {
    /// Adds the file that bad data came from.
    pub(crate) fn in_file(self, path: &std::path::Path) -> Self {
        match self.0 {
            Source::Data(error) if !error.is_config() && !error.is_io() => {
                Self(Source::Data(error.at_path(path)))
            }
            source => Self(source),
        }
    }

    fn forge(&self, is: impl Fn(&ForgeError) -> bool) -> bool {
        matches!(&self.0, Source::Forge(error) if is(error))
    }

    /// The data are at fault: a cell, a column, a table file.
    #[must_use]
    pub fn is_data(&self) -> bool {
        matches!(&self.0, Source::Data(error) if !error.is_io() && !error.is_config())
    }

    /// A setting is out of range or unknown.
    #[must_use]
    pub fn is_config(&self) -> bool {
        match &self.0 {
            Source::Data(error) => error.is_config(),
            Source::Forge(error) => error.is_config(),
        }
    }

    /// The file system refused.
    #[must_use]
    pub fn is_io(&self) -> bool {
        match &self.0 {
            Source::Data(error) => error.is_io(),
            Source::Forge(error) => error.is_io(),
        }
    }

    /// A model file or checkpoint is damaged, of another kind or of a newer version.
    #[must_use]
    pub fn is_artifact(&self) -> bool {
        self.forge(|e| e.is_artifact() || e.is_weights())
    }

    /// A model file's checksum or structure shows that its bytes are not those that were written.
    /// Such an error [is about an artifact](Self::is_artifact) too.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.forge(ForgeError::is_damaged)
    }

    /// A device is not compiled in or not present.
    #[must_use]
    pub fn is_device(&self) -> bool {
        self.forge(ForgeError::is_device)
    }

    /// Training could not go on.
    #[must_use]
    pub fn is_training(&self) -> bool {
        self.forge(ForgeError::is_training)
    }

    /// The model does not support what was asked of it.
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        self.forge(ForgeError::is_unsupported)
    }
}
