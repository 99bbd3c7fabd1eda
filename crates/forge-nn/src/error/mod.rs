//! The one error type of the library crates.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use forge_files::printable;

/// What went wrong, in words that name the field, the value and what is allowed, or the file.
///
/// Opaque on purpose: ask it with the predicates, show it with `Display`.
///
/// ```
/// let error = forge_nn::ForgeError::config("dropout", 1.5, "in 0.0..1.0");
/// assert!(error.is_config());
/// assert_eq!(error.to_string(), "config: dropout = 1.5, must be in 0.0..1.0");
/// ```
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ForgeError(#[from] Box<Kind>);

#[derive(Debug, thiserror::Error)]
enum Kind {
    #[error("config: {field} = {value}, must be {allowed}")]
    Config {
        field: String,
        value: String,
        allowed: String,
    },
    #[error("shape: {what} is {found}, expected {expected}")]
    Shape {
        what: String,
        found: String,
        expected: String,
    },
    #[error("unsupported: {0}")]
    Unsupported(String),
    #[error("weights: {0}")]
    Weights(String),
    #[error("device: {0}")]
    Device(String),
    #[error("training: {0}")]
    Training(String),
    #[error("{}: {reason}", shown(path))]
    Artifact {
        path: PathBuf,
        reason: String,
        damaged: bool,
    },
    #[error("{}: {source}", shown(path))]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
}

/// Most letters of a part of a message.
const LONGEST: usize = 4_000;

/// What an error quotes may come from a file: it is shown, not obeyed by a terminal, and no longer
/// than anybody reads.
fn text(words: impl Display) -> String {
    let mut words = words.to_string();
    if let Some((end, _)) = words.char_indices().nth(LONGEST) {
        words.truncate(end);
        words.push('…');
    }
    printable(&words).into_owned()
}

fn shown(path: &Path) -> String {
    text(path.display())
}

impl From<Kind> for ForgeError {
    fn from(kind: Kind) -> Self {
        Self(Box::new(kind))
    }
}

impl ForgeError {
    /// A config field outside its allowed range.
    #[must_use]
    pub fn config(field: &str, value: impl Display, allowed: impl Display) -> Self {
        Kind::Config {
            field: text(field),
            value: text(value),
            allowed: text(allowed),
        }
        .into()
    }

    /// A tensor or table of the wrong shape.
    #[must_use]
    pub fn shape(what: impl Display, found: impl Display, expected: impl Display) -> Self {
        Kind::Shape {
            what: text(what),
            found: text(found),
            expected: text(expected),
        }
        .into()
    }

    /// Something the model or backend does not declare.
    #[must_use]
    pub fn unsupported(message: impl Display) -> Self {
        Kind::Unsupported(text(message)).into()
    }

    /// Weights that do not fit the module: missing, left over, wrong shape or type.
    #[must_use]
    pub fn weights(message: impl Display) -> Self {
        Kind::Weights(text(message)).into()
    }

    /// A device that is not compiled in or not present.
    #[must_use]
    pub fn device(message: impl Display) -> Self {
        Kind::Device(text(message)).into()
    }

    /// Training that cannot go on (a loss that is not finite, say).
    #[must_use]
    pub fn training(message: impl Display) -> Self {
        Kind::Training(text(message)).into()
    }

    /// A model file, checkpoint or config file of another kind or version, or one that does not
    /// fit.
    #[must_use]
    pub fn artifact(path: impl AsRef<Path>, reason: impl Display) -> Self {
        Kind::Artifact {
            path: path.as_ref().into(),
            reason: text(reason),
            damaged: false,
        }
        .into()
    }

    /// A file whose checksum or structure shows that its bytes are not those that were written.
    #[must_use]
    pub fn damaged(path: impl AsRef<Path>, reason: impl Display) -> Self {
        Kind::Artifact {
            path: path.as_ref().into(),
            reason: text(reason),
            damaged: true,
        }
        .into()
    }

    /// The file system refused.
    #[must_use]
    pub fn io(path: impl AsRef<Path>, source: std::io::Error) -> Self {
        Kind::Io {
            path: path.as_ref().into(),
            source,
        }
        .into()
    }

    /// What went wrong without the word that says of which sort it is, to be quoted in another
    /// error.
    ///
    /// ```
    /// let error = forge_nn::ForgeError::training("the loss is NaN");
    /// assert_eq!(error.to_string(), "training: the loss is NaN");
    /// assert_eq!(error.reason(), "the loss is NaN");
    /// ```
    #[must_use]
    pub fn reason(&self) -> String {
        match &*self.0 {
            Kind::Unsupported(reason)
            | Kind::Weights(reason)
            | Kind::Device(reason)
            | Kind::Training(reason) => reason.clone(),
            Kind::Config {
                field,
                value,
                allowed,
            } => format!("{field} = {value}, must be {allowed}"),
            Kind::Shape {
                what,
                found,
                expected,
            } => format!("{what} is {found}, expected {expected}"),
            Kind::Artifact { .. } | Kind::Io { .. } => self.to_string(),
        }
    }

    /// A config field was out of range.
    #[must_use]
    pub fn is_config(&self) -> bool {
        matches!(*self.0, Kind::Config { .. })
    }

    /// A shape did not fit.
    #[must_use]
    pub fn is_shape(&self) -> bool {
        matches!(*self.0, Kind::Shape { .. })
    }

    /// A capability was asked for that is not declared.
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        matches!(*self.0, Kind::Unsupported(_))
    }

    /// Weights did not fit the module.
    #[must_use]
    pub fn is_weights(&self) -> bool {
        matches!(*self.0, Kind::Weights(_))
    }

    /// A device is not available.
    #[must_use]
    pub fn is_device(&self) -> bool {
        matches!(*self.0, Kind::Device(_))
    }

    /// Training could not go on.
    #[must_use]
    pub fn is_training(&self) -> bool {
        matches!(*self.0, Kind::Training(_))
    }

    /// A file is damaged or of another version.
    #[must_use]
    pub fn is_artifact(&self) -> bool {
        matches!(*self.0, Kind::Artifact { .. })
    }

    /// A file's checksum or structure shows that its bytes are not those that were written. Such an
    /// error [is about an artifact](Self::is_artifact) too.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        matches!(*self.0, Kind::Artifact { damaged: true, .. })
    }

    /// The file system refused.
    #[must_use]
    pub fn is_io(&self) -> bool {
        matches!(*self.0, Kind::Io { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_files_say_is_shown_not_obeyed() {
        let hostile = "a\u{1b}[2J";
        for error in [
            ForgeError::artifact(hostile, hostile),
            ForgeError::damaged(hostile, hostile),
            ForgeError::weights(hostile),
            ForgeError::config(hostile, hostile, hostile),
            ForgeError::shape(hostile, hostile, hostile),
            ForgeError::io(hostile, std::io::ErrorKind::NotFound.into()),
        ] {
            let text = error.to_string();
            assert!(
                !text.contains('\u{1b}') && text.contains("a\\u{1b}[2J"),
                "{text}"
            );
        }
        let long = ForgeError::weights("é".repeat(1_000_000)).to_string();
        assert!(long.chars().count() < 4_100 && long.ends_with('…'));
    }
}
