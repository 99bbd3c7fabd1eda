//! What the columns of a file of series are, and what becomes of its faults.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::policies::{
    AmbiguousTimes, Duplicates, FrequencyChange, Gaps, MissingValues, Stamps, Unsorted,
};
use super::zone::Zone;
use super::{Frequency, TimeColumns, TimeUnit};
use crate::DataError;

/// What the columns of a file of series are, and what becomes of its faults.
///
/// Every fault is detected and reported ([`SeriesReport`](super::SeriesReport)); it is repaired
/// only as this says. Where a repair would be a guess that changes numbers the default is an
/// error. As TOML or JSON, unknown keys are refused.
///
/// ```
/// use forge_data::SeriesConfig;
/// let config = SeriesConfig::new("date", ["close"]).with_series("ticker").with_past(["volume"]);
/// assert!(config.validate().is_ok());
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeriesConfig {
    /// The column of times, or a column of dates and one of times of day.
    pub time: TimeColumns,
    /// What a number in the column of times counts: since 1970-01-01, or since midnight in the
    /// second of two columns. Needed for numbers only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_unit: Option<TimeUnit>,
    /// The column that says which series a row belongs to. Default: one series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<String>,
    /// Numeric columns to forecast, at least one. Their past is an input too.
    pub targets: Vec<String>,
    /// Numeric columns of which only the past is known when a forecast is made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub past: Vec<String>,
    /// Numeric columns that are known for the future too, such as a holiday or a scheduled event.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<String>,
    /// Columns, numbers or labels, with one value per series.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fixed: Vec<String>,
    /// How far the steps lie apart. Default: inferred, and reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency: Option<Frequency>,
    /// The zone on whose clock days and sessions are, an IANA name such as `America/New_York`.
    /// Default: the clock of the stamps themselves, UTC where they have no offset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// What stamps without an offset say, UTC or that zone's clock. Needed for them with a
    /// `time_zone` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamps: Option<Stamps>,
    /// Rows out of order. Default: sorted.
    #[serde(default)]
    pub unsorted: Unsorted,
    /// Rows of one series with the same time. Default: refused.
    #[serde(default)]
    pub duplicates: Duplicates,
    /// Times that the clock of `time_zone` shows twice. Default: refused.
    #[serde(default)]
    pub ambiguous: AmbiguousTimes,
    /// Steps that are not there. Default: kept as they are.
    #[serde(default)]
    pub gaps: Gaps,
    /// Cells that are not there. Default: masked.
    #[serde(default)]
    pub missing: MissingValues,
    /// A step that changes in the middle. Default: refused.
    #[serde(default)]
    pub frequency_change: FrequencyChange,
}

impl SeriesConfig {
    /// Series of these targets at the times in a column, everything else by default.
    #[must_use]
    pub fn new(
        time: impl Into<TimeColumns>,
        targets: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Self {
            time: time.into(),
            time_unit: None,
            series: None,
            targets: names(targets),
            past: Vec::new(),
            known: Vec::new(),
            fixed: Vec::new(),
            frequency: None,
            time_zone: None,
            stamps: None,
            unsorted: Unsorted::default(),
            duplicates: Duplicates::default(),
            ambiguous: AmbiguousTimes::default(),
            gaps: Gaps::default(),
            missing: MissingValues::default(),
            frequency_change: FrequencyChange::default(),
        }
    }

    /// With the column that says which series a row belongs to.
    #[must_use]
    pub fn with_series(mut self, column: impl Into<String>) -> Self {
        self.series = Some(column.into());
        self
    }

    /// With columns of which only the past is known.
    #[must_use]
    pub fn with_past(mut self, columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.past = names(columns);
        self
    }

    /// With columns that are known for the future too.
    #[must_use]
    pub fn with_known(mut self, columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.known = names(columns);
        self
    }

    /// With columns of one value per series.
    #[must_use]
    pub fn with_fixed(mut self, columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.fixed = names(columns);
        self
    }

    /// With days and sessions on the clock of a zone, and what stamps without an offset say.
    #[must_use]
    pub fn with_time_zone(mut self, zone: impl Into<String>, stamps: Stamps) -> Self {
        self.time_zone = Some(zone.into());
        self.stamps = Some(stamps);
        self
    }

    /// Checks what can be checked without a table.
    ///
    /// # Errors
    /// A config error if there is no target, a column has two roles, the frequency has no length
    /// or the zone is not known.
    pub fn validate(&self) -> Result<(), DataError> {
        if self.targets.is_empty() {
            return Err(DataError::config(
                "targets is empty: name at least one column to forecast",
            ));
        }
        let mut roles: HashMap<&str, &str> = HashMap::new();
        for column in self.time.names() {
            if roles.insert(column, "time").is_some() {
                return Err(two_roles(column, "time", "time"));
            }
        }
        for (role, columns) in [
            ("targets", &self.targets),
            ("past", &self.past),
            ("known", &self.known),
            ("fixed", &self.fixed),
        ] {
            for column in columns {
                if let Some(other) = roles.insert(column, role) {
                    return Err(two_roles(column, other, role));
                }
            }
        }
        // The id itself may be fixed, for a model that embeds it.
        if let Some(id) = &self.series
            && let Some(role) = roles.get(id.as_str()).filter(|role| **role != "fixed")
        {
            return Err(two_roles(id, role, "series"));
        }
        if let Some(frequency) = self.frequency {
            frequency.validate()?;
        }
        self.zone().map(|_| ())
    }

    /// What the numbers in the column of times count; absent where it holds dates.
    pub(super) fn unit(&self) -> Option<TimeUnit> {
        match self.time {
            TimeColumns::One(_) => self.time_unit,
            TimeColumns::DateAndTime(_) => None,
        }
    }

    pub(super) fn zone(&self) -> Result<Option<Zone>, DataError> {
        self.time_zone.as_deref().map(Zone::named).transpose()
    }

    /// Names of the columns whose values change from step to step: targets, past, known.
    pub fn moving(&self) -> impl Iterator<Item = &String> {
        self.targets.iter().chain(&self.past).chain(&self.known)
    }
}

fn names(names: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    names.into_iter().map(Into::into).collect()
}

fn two_roles(column: &str, first: &str, second: &str) -> DataError {
    DataError::config(format!(
        "is named as {first} and as {second}: a column has one role; the past of targets and of \
         known columns is an input already"
    ))
    .at_column(column)
}
