//! A part of time.

use std::fmt::{self, Display};

use serde::{Deserialize, Serialize};

use crate::series::shown::shown;

/// From a time until before another; each end may be open. Milliseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeRange {
    /// The first time in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<i64>,
    /// The first time after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
}

impl TimeRange {
    /// Everything before a time.
    #[must_use]
    pub fn until(time: i64) -> Self {
        Self {
            from: None,
            until: Some(time),
        }
    }

    /// A time and everything after it.
    #[must_use]
    pub fn from(time: i64) -> Self {
        Self {
            from: Some(time),
            until: None,
        }
    }

    /// Whether a time lies in it.
    #[must_use]
    pub fn contains(&self, time: i64) -> bool {
        self.from.is_none_or(|from| time >= from) && self.until.is_none_or(|until| time < until)
    }

    /// What lies in both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self {
            from: self.from.max(other.from),
            until: match (self.until, other.until) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            },
        }
    }
}

impl Display for TimeRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from, self.until) {
            (None, None) => f.write_str("all times"),
            (Some(from), None) => write!(f, "from {}", shown(from, 0)),
            (None, Some(until)) => write!(f, "before {}", shown(until, 0)),
            (Some(from), Some(until)) => {
                write!(f, "{} until before {}", shown(from, 0), shown(until, 0))
            }
        }
    }
}
