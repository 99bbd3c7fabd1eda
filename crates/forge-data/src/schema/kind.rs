//! The kinds of columns.

use std::fmt::{self, Display};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::date_format;
use crate::DataError;
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
///
/// As text, also in TOML and JSON: `numeric`, `numeric:32nds`, `categorical`, `datetime`,
/// `datetime:day-first`, `datetime:month-first`, `datetime:%d.%m.%Y` (any `strftime` pattern) and
/// `ignore`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ColumnRole {
    /// Numbers; a cell that is none is an error. Booleans become 0 and 1.
    Numeric,
    /// Numbers, bond prices in 32nds among them: `99-16` is 99 + 16/32, `99-16+` half a 32nd
    /// more, and a third digit 2, 5 or 7 a quarter, a half or three quarters of a 32nd more.
    ThirtySeconds,
    /// Labels, as they are written.
    Categorical,
    /// Times; a cell that is none is an error. Also reads `YYYYMMDD`.
    DateTime,
    /// Times, numbers such as `03/04/2023` in this order.
    DateOrder(DateOrder),
    /// Times written by this `strftime` pattern, such as `%d.%m.%y %H:%M`. Without a zone in the
    /// pattern they are taken as UTC.
    DateFormat(String),
    /// Not read at all.
    Ignore,
}

/// Which of the first two numbers of a date is the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DateOrder {
    /// `31/12/2023`.
    DayFirst,
    /// `12/31/2023`.
    MonthFirst,
}

impl ColumnRole {
    /// The kind of the column, unless it is not read.
    #[must_use]
    pub fn kind(&self) -> Option<ColumnKind> {
        match self {
            Self::Numeric | Self::ThirtySeconds => Some(ColumnKind::Numeric),
            Self::Categorical => Some(ColumnKind::Categorical),
            Self::DateTime | Self::DateOrder(_) | Self::DateFormat(_) => Some(ColumnKind::DateTime),
            Self::Ignore => None,
        }
    }
}

impl Display for ColumnRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Numeric => "numeric",
            Self::ThirtySeconds => "numeric:32nds",
            Self::Categorical => "categorical",
            Self::DateTime => "datetime",
            Self::DateOrder(DateOrder::DayFirst) => "datetime:day-first",
            Self::DateOrder(DateOrder::MonthFirst) => "datetime:month-first",
            Self::DateFormat(pattern) => return write!(f, "datetime:{pattern}"),
            Self::Ignore => "ignore",
        })
    }
}

impl FromStr for ColumnRole {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        Ok(match text {
            "numeric" => Self::Numeric,
            "numeric:32nds" => Self::ThirtySeconds,
            "categorical" => Self::Categorical,
            "datetime" => Self::DateTime,
            "datetime:day-first" => Self::DateOrder(DateOrder::DayFirst),
            "datetime:month-first" => Self::DateOrder(DateOrder::MonthFirst),
            "ignore" => Self::Ignore,
            _ => match text.strip_prefix("datetime:") {
                Some(pattern) => {
                    date_format::check(pattern)?;
                    Self::DateFormat(pattern.into())
                }
                None => {
                    return Err(DataError::config(format!(
                        "'{text}' is not a kind of column: allowed are numeric, numeric:32nds, \
                         categorical, datetime, datetime:day-first, datetime:month-first, \
                         datetime:PATTERN such as datetime:%d.%m.%Y, and ignore"
                    )));
                }
            },
        })
    }
}

impl TryFrom<String> for ColumnRole {
    type Error = DataError;

    fn try_from(text: String) -> Result<Self, DataError> {
        text.parse()
    }
}

impl From<ColumnRole> for String {
    fn from(role: ColumnRole) -> Self {
        role.to_string()
    }
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
