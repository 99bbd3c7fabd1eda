//! What was found in a file of series.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use serde::{Deserialize, Serialize};

use super::shown::frequency_in;
use super::{Frequency, TimeUnit};
use crate::printable;

/// What was found in a file of series, and what was done about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesReport {
    /// Number of series.
    pub series: usize,
    /// Number of rows, those put in included.
    pub rows: usize,
    /// The earliest time.
    pub first: String,
    /// The latest time.
    pub last: String,
    /// How far steps lie apart, as declared or inferred; of steps that are only numbered one step is a
    /// day.
    pub frequency: Frequency,
    /// What the numbers in the column of times count; absent where it holds dates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_unit: Option<TimeUnit>,
    /// Whether it was inferred.
    pub inferred: bool,
    /// The weekdays that have rows (Monday first), where days are not all alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weekdays: Option<[bool; 7]>,
    /// Times of day of the first and the last usual bar and the number of bars, of the longest day
    /// of sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<(String, String, usize)>,
    /// What is not as it should be, or worth knowing.
    pub findings: Vec<SeriesFinding>,
}

/// One kind of finding, in all series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesFinding {
    /// What.
    pub kind: SeriesFindingKind,
    /// In which column, where that matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// How often: rows, steps, days or cells by the kind.
    pub count: u64,
    /// In how many series.
    pub in_series: usize,
    /// The series that shows it first.
    pub series: String,
    /// Its time or value there.
    pub place: String,
}

/// What may be found in a file of series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeriesFindingKind {
    /// Rows that stood before an earlier one; sorted.
    Unsorted,
    /// Rows that had the time of another one; one was kept.
    Duplicates,
    /// Times that the zone's clock showed twice; placed as the config says.
    Ambiguous,
    /// Offsets that differ by more than daylight saving does.
    SeveralZones,
    /// A series whose step changes for good.
    FrequencyChange,
    /// Series whose frequency is not that of the panel.
    OtherFrequency,
    /// Series with too few rows, or too uneven ones, to tell a frequency.
    NoFrequency,
    /// Rows that are not on the grid of the one before.
    OffGrid,
    /// Steps that are not there.
    MissingSteps,
    /// Rows without values that were put in for missing steps.
    Filled,
    /// Usual weekdays on which no series has a row, such as holidays.
    ClosedDays,
    /// Nights after a session that ended early, or before one that began late.
    ShortSessions,
    /// Cells without a value.
    MissingValues,
    /// A column without any value in a series.
    EmptyColumn,
    /// Rows after the last value of any target: known for the future only.
    FutureRows,
    /// Rows whose bar lacks a cell or cannot be, passed over by the features.
    SkippedBars,
}

impl SeriesFindingKind {
    fn text(self) -> &'static str {
        match self {
            Self::Unsorted => "rows out of order, sorted",
            Self::Duplicates => "rows with the time of another, dropped",
            Self::Ambiguous => "times that the clock shows twice, placed as the config says",
            Self::SeveralZones => "rows whose offset is of another zone",
            Self::FrequencyChange => "series whose step changes in the middle",
            Self::OtherFrequency => "series of another frequency",
            Self::NoFrequency => "series whose frequency cannot be told",
            Self::OffGrid => "rows off the grid of the one before",
            Self::MissingSteps => "steps missing",
            Self::Filled => "rows put in for missing steps",
            Self::ClosedDays => "usual weekdays without a row in any series (holidays)",
            Self::ShortSessions => "sessions that ended early or began late",
            Self::MissingValues => "cells without a value",
            Self::EmptyColumn => "series without any value",
            Self::SkippedBars => "rows whose bar lacks a cell or cannot be, skipped by features",
            Self::FutureRows => "rows after the last target, for the future only",
        }
    }
}

/// Findings while they are gathered.
#[derive(Debug, Default)]
pub(super) struct Findings(BTreeMap<(SeriesFindingKind, Option<String>), (SeriesFinding, usize)>);

impl Findings {
    /// Counts `count` more of a kind in series number `index`.
    pub(super) fn add(
        &mut self,
        kind: SeriesFindingKind,
        column: Option<&str>,
        count: u64,
        (index, id): (usize, &str),
        place: impl FnOnce() -> String,
    ) {
        let key = (kind, column.map(Into::into));
        let (finding, last) = self.0.entry(key).or_insert_with(|| {
            let finding = SeriesFinding {
                kind,
                column: column.map(Into::into),
                count: 0,
                in_series: 0,
                series: id.into(),
                place: place(),
            };
            (finding, usize::MAX)
        });
        finding.count += count;
        if *last != index {
            finding.in_series += 1;
            *last = index;
        }
    }

    pub(super) fn done(self) -> Vec<SeriesFinding> {
        self.0.into_values().map(|(finding, _)| finding).collect()
    }
}

impl SeriesReport {
    /// The finding of this kind, in this column where it has one.
    #[must_use]
    pub fn finding(&self, kind: SeriesFindingKind, column: Option<&str>) -> Option<&SeriesFinding> {
        let wanted = |f: &&SeriesFinding| {
            f.kind == kind && (column.is_none() || f.column.as_deref() == column)
        };
        self.findings.iter().find(wanted)
    }
}

impl Display for SeriesReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} series, {} rows from {} to {}, steps: {}{}",
            self.series,
            self.rows,
            self.first,
            self.last,
            frequency_in(self.time_unit, self.frequency),
            if self.inferred { " (inferred)" } else { "" }
        )?;
        if let Some(days) = &self.weekdays {
            let names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
            let open: Vec<&str> = names
                .iter()
                .zip(days)
                .filter_map(|(name, open)| open.then_some(*name))
                .collect();
            write!(f, ", {}", open.join(" "))?;
        }
        if let Some((first, last, bars)) = &self.session {
            write!(f, ", {bars} bars from {first} to {last}")?;
        }
        for finding in &self.findings {
            write!(f, "\n  ")?;
            if let Some(column) = &finding.column {
                write!(f, "column '{}': ", printable(column))?;
            }
            write!(f, "{} {}", finding.count, finding.kind.text())?;
            // Closed days are days of the whole panel.
            if finding.kind != SeriesFindingKind::ClosedDays && self.series > 1 {
                write!(
                    f,
                    ", in {} series; first in series '{}'",
                    finding.in_series,
                    printable(&finding.series)
                )?;
            } else {
                write!(f, "; first")?;
            }
            write!(f, ": {}", printable(&finding.place))?;
        }
        Ok(())
    }
}
