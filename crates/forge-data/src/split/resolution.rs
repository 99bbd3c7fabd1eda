//! Which times are one date.

use std::fmt::{self, Display};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::DataError;
use crate::schema::date_time::{DAY, civil_from_days};

/// Which times a split by date keeps together: those of one hour, day, week, month or year, on the
/// clock that their stamps have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DateResolution {
    /// Only times that are equal.
    Exact,
    /// An hour of a day.
    Hour,
    /// A day.
    #[default]
    Day,
    /// A week, from Monday.
    Week,
    /// A month.
    Month,
    /// A year.
    Year,
}

const ALL: [DateResolution; 6] = [
    DateResolution::Exact,
    DateResolution::Hour,
    DateResolution::Day,
    DateResolution::Week,
    DateResolution::Month,
    DateResolution::Year,
];

impl DateResolution {
    /// A number that times have in common that are kept together, and that grows with time. `time`
    /// in milliseconds since 1970 UTC, `ahead` the minutes that its own clock is ahead of UTC.
    pub(super) fn unit(self, time: i64, ahead: i16) -> i64 {
        let local = time.saturating_add(i64::from(ahead) * 60_000);
        let days = local.div_euclid(DAY);
        match self {
            Self::Exact => time,
            Self::Hour => local.div_euclid(3_600_000),
            Self::Day => days,
            // 1970-01-01 was a Thursday.
            Self::Week => (days + 3).div_euclid(7),
            Self::Month => {
                let (year, month, _) = civil_from_days(days);
                year * 12 + month
            }
            Self::Year => civil_from_days(days).0,
        }
    }

    /// What is counted.
    pub(super) fn units(self) -> &'static str {
        match self {
            Self::Exact => "dates",
            Self::Hour => "hours",
            Self::Day => "days",
            Self::Week => "weeks",
            Self::Month => "months",
            Self::Year => "years",
        }
    }
}

impl Display for DateResolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Exact => "exact",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        })
    }
}

impl FromStr for DateResolution {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        let found = ALL.iter().find(|resolution| resolution.to_string() == text);
        found.copied().ok_or_else(|| {
            DataError::config(format!(
                "resolution '{text}' is not known: allowed are exact, hour, day, week, month, year"
            ))
        })
    }
}
