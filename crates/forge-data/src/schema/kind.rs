//! The kinds of columns.

use std::fmt::{self, Display};

use serde::{Deserialize, Serialize};

use crate::table::{Column, ColumnValues};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnKind {
    /// Numbers.
    Numeric,
    /// Labels.
    Categorical,
    /// Times.
    DateTime,
}

/// What a column is declared to be, instead of what its cells suggest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnRole {
    /// Numbers; a cell that is none is an error. Booleans become 0 and 1.
    Numeric,
    /// Labels, as they are written.
    Categorical,
    /// Times; a cell that is none is an error. Also reads `YYYYMMDD`.
    DateTime,
    /// Not read at all.
    Ignore,
}

impl From<ColumnKind> for ColumnRole {
    fn from(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Numeric => Self::Numeric,
            ColumnKind::Categorical => Self::Categorical,
            ColumnKind::DateTime => Self::DateTime,
        }
    }
}

impl Display for ColumnKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Numeric => "numeric",
            Self::Categorical => "categorical",
            Self::DateTime => "datetime",
        })
    }
}

impl Column {
    /// What the column holds.
    #[must_use]
    pub fn kind(&self) -> ColumnKind {
        match self.values {
            ColumnValues::Numeric(_) => ColumnKind::Numeric,
            ColumnValues::Categorical(_) => ColumnKind::Categorical,
            ColumnValues::DateTime(_) => ColumnKind::DateTime,
        }
    }
}
