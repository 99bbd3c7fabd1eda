//! Series: what is found in files, windows, splits, scales, leakage.

mod append;
mod bad_input;
mod features;
mod leakage;
mod memory;
mod never_panics;
mod reading;
mod scaler;
mod shared;
mod split;
mod windows;

use std::sync::Arc;

use forge_data::{Column, SeriesConfig, SeriesTable, Table};

pub(crate) const HOUR: i64 = 3_600_000;
pub(crate) const DAY: i64 = 24 * HOUR;

/// 2024-01-01, a Monday.
pub(crate) const MONDAY: i64 = 19_723 * DAY;

/// A table of one series with a time column and numeric columns.
pub(crate) fn single(times: &[i64], columns: &[(&str, Vec<f64>)]) -> Table {
    let mut all = vec![Column::date_time("time", times.to_vec())];
    let numeric = |(name, values): &(&str, Vec<f64>)| Column::numeric(*name, values.clone());
    all.extend(columns.iter().map(numeric));
    Table::new(all).unwrap()
}

pub(crate) fn ramp(n: usize) -> Vec<f64> {
    (0..n).map(|i| i as f64 + 1.0).collect()
}

pub(crate) fn hours(n: i64) -> Vec<i64> {
    (0..n).map(|i| MONDAY + i * HOUR).collect()
}

/// Column `y` alone.
pub(crate) fn target() -> SeriesConfig {
    SeriesConfig::new("time", ["y"])
}

pub(crate) fn made(table: &Table, config: &SeriesConfig) -> Arc<SeriesTable> {
    Arc::new(SeriesTable::from_table(table, config).unwrap())
}

/// The message of what is refused.
pub(crate) fn refused(table: &Table, config: &SeriesConfig) -> String {
    SeriesTable::from_table(table, config)
        .unwrap_err()
        .to_string()
}

/// Asserts that a message has all these parts.
pub(crate) fn says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "'{part}' is not in: {message}");
    }
}
