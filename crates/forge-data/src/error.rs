//! The error of this crate: where in which file, and what would be right.

use std::fmt::{self, Display};
use std::path::{Path, PathBuf};

use crate::preprocess::seen_row;
use crate::printable;

/// Bad data or a bad request about data, naming file, row and column as far as they are known.
///
/// Rows are counted as a person sees them: for files, the line or sheet row, with the header as
/// row 1. Opaque: ask it with the predicates, show it with `Display`.
#[derive(Debug)]
pub struct DataError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    path: Option<PathBuf>,
    row: Option<u64>,
    column: Option<String>,
    kind: Kind,
    message: String,
    source: Option<std::io::Error>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Io,
    Parse,
    Schema,
    Value,
    Config,
    Unsupported,
}

impl DataError {
    fn new(kind: Kind, message: impl Display) -> Self {
        Self(Box::new(Inner {
            path: None,
            row: None,
            column: None,
            kind,
            message: message.to_string(),
            source: None,
        }))
    }

    /// The file could not be opened or read.
    #[must_use]
    pub fn io(path: impl AsRef<Path>, source: std::io::Error) -> Self {
        let mut error = Self::new(Kind::Io, &source).at_path(path);
        error.0.source = Some(source);
        error
    }

    /// The file's text or structure is broken.
    #[must_use]
    pub fn parse(message: impl Display) -> Self {
        Self::new(Kind::Parse, message)
    }

    /// Columns are missing, doubled or of the wrong kind.
    #[must_use]
    pub fn schema(message: impl Display) -> Self {
        Self::new(Kind::Schema, message)
    }

    /// A cell or column holds a value that cannot be used.
    #[must_use]
    pub fn value(message: impl Display) -> Self {
        Self::new(Kind::Value, message)
    }

    /// An option is out of range.
    #[must_use]
    pub fn config(message: impl Display) -> Self {
        Self::new(Kind::Config, message)
    }

    /// The file type needs a feature that is not compiled in, or is not known.
    #[must_use]
    pub fn unsupported(message: impl Display) -> Self {
        Self::new(Kind::Unsupported, message)
    }

    /// Adds the file.
    #[must_use]
    pub fn at_path(mut self, path: impl AsRef<Path>) -> Self {
        self.0.path = Some(path.as_ref().into());
        self
    }

    /// Adds the row, header = 1.
    #[must_use]
    pub fn at_row(mut self, row: u64) -> Self {
        self.0.row = Some(row);
        self
    }

    /// Adds the row that a person sees for row `index` (0-based) of a table.
    #[must_use]
    pub fn at_index(self, index: usize) -> Self {
        self.at_row(seen_row(index))
    }

    /// Takes the row off again, where a file has none to name.
    #[cfg(feature = "parquet")]
    pub(crate) fn without_row(mut self) -> Self {
        self.0.row = None;
        self
    }

    /// Adds the column's name.
    #[must_use]
    pub fn at_column(mut self, column: impl Display) -> Self {
        self.0.column = Some(column.to_string());
        self
    }

    /// Adds what may help where this row stands.
    pub(crate) fn with_hint(mut self, hint: impl Display) -> Self {
        self.0.message = format!("{}; {hint}", self.0.message);
        self
    }

    /// The file could not be opened or read.
    #[must_use]
    pub fn is_io(&self) -> bool {
        self.0.kind == Kind::Io
    }

    /// The file's text or structure is broken.
    #[must_use]
    pub fn is_parse(&self) -> bool {
        self.0.kind == Kind::Parse
    }

    /// Columns are missing, doubled or of the wrong kind.
    #[must_use]
    pub fn is_schema(&self) -> bool {
        self.0.kind == Kind::Schema
    }

    /// A value cannot be used.
    #[must_use]
    pub fn is_value(&self) -> bool {
        self.0.kind == Kind::Value
    }

    /// An option is out of range.
    #[must_use]
    pub fn is_config(&self) -> bool {
        self.0.kind == Kind::Config
    }

    /// The file type is not supported by this build.
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        self.0.kind == Kind::Unsupported
    }
}

impl Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if let Some(path) = &inner.path {
            write!(f, "{}: ", printable(&path.to_string_lossy()))?;
        }
        if let Some(row) = inner.row {
            write!(f, "row {row}: ")?;
        }
        if let Some(column) = &inner.column {
            write!(f, "column '{}': ", printable(column))?;
        }
        f.write_str(&printable(&inner.message))
    }
}

impl std::error::Error for DataError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|e| e as _)
    }
}
