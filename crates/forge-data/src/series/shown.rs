//! Times and places as messages show them.

use super::{Frequency, TimeUnit};
use crate::DataError;
use crate::schema::date_time::format;

/// A time as its column has it: the number of a step that is only numbered, or a date.
pub(super) fn shown_in(unit: Option<TimeUnit>, utc: i64, offset: i16) -> String {
    match unit {
        Some(TimeUnit::Steps) => TimeUnit::Steps.number(utc).to_string(),
        _ => shown(utc, offset),
    }
}

/// A time on its own clock, with the offset where there is one: `2023-11-05T01:30:00-04:00`.
pub(super) fn shown(utc: i64, offset: i16) -> String {
    let local = utc.saturating_add(i64::from(offset) * 60_000);
    let Some(text) = format(local) else {
        return format!("{utc} ms");
    };
    let text = text.trim_end_matches('Z');
    if offset == 0 {
        return text.into();
    }
    let (sign, ahead) = if offset < 0 {
        ('-', -offset)
    } else {
        ('+', offset)
    };
    let clock = if text.contains('T') { "" } else { "T00:00:00" };
    format!("{text}{clock}{sign}{:02}:{:02}", ahead / 60, ahead % 60)
}

/// How far steps lie apart: a number of steps where they are only numbered.
pub(super) fn frequency_in(unit: Option<TimeUnit>, frequency: Frequency) -> String {
    match (unit, frequency) {
        (Some(TimeUnit::Steps), Frequency::Every(span)) => TimeUnit::Steps.number(span).to_string(),
        _ => frequency.to_string(),
    }
}

/// Where a cell is.
pub(super) fn cell(series: &str, time: &str) -> String {
    format!("series '{series}' at {time}")
}

/// A value error about one cell of one series.
pub(super) fn cell_error(
    column: &str,
    series: &str,
    time: &str,
    message: impl std::fmt::Display,
) -> DataError {
    DataError::value(format!("{}: {message}", cell(series, time))).at_column(column)
}

/// The first of some names, and how many more there are.
pub(super) fn some_names<S: AsRef<str>>(names: &[S]) -> String {
    let first: Vec<&str> = names.iter().take(8).map(AsRef::as_ref).collect();
    match names.len() - first.len() {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}
