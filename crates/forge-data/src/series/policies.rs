//! What becomes of faults in a file of series, by the config.

use serde::{Deserialize, Serialize};

/// Rows of a series that do not stand in order of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unsorted {
    /// Sorted and reported: nothing is lost.
    #[default]
    Sort,
    /// An error that names the first place.
    Refuse,
}

/// Rows of one series with the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duplicates {
    /// An error that names the first place: which row is right decides the numbers.
    #[default]
    Refuse,
    /// The first in the file is kept, the others are counted in the report.
    First,
    /// The last in the file is kept, as where corrections are added at the end.
    Last,
}

/// What stamps without an offset say, in a table whose days are those of a `time_zone`. A table does
/// not tell `09:30` from `09:30Z`, and hours lie between the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stamps {
    /// The time in UTC, as where they end in `Z` and in Parquet's UTC timestamps.
    Utc,
    /// What clocks in the zone show.
    WallClock,
}

/// Times of day that a clock shows twice, when daylight saving ends. Only with [`Stamps::WallClock`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AmbiguousTimes {
    /// An error that names the first place.
    #[default]
    Refuse,
    /// A time that a series has twice is first the earlier, then the later one; one that it has
    /// once is the earlier. Right for files in order of time.
    InOrder,
    /// Always the first passing, still on daylight saving.
    Earlier,
    /// Always the second passing.
    Later,
}

/// Steps that the frequency has and a series lacks between its first and its last row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gaps {
    /// Reported; the row after a gap counts as the next step.
    #[default]
    Keep,
    /// Rows without values are put in, so that a lookback is a length of time: on sessions those
    /// between the first and the last bar of a day, on business days those on which another series
    /// has a row. Days without any row, such as holidays, are not.
    Fill,
    /// An error that names the first place.
    Refuse,
}

/// Cells without a value in the columns of targets and covariates.
///
/// The table keeps them missing in every case, and masks say so; this is about what a batch holds
/// in their place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingValues {
    /// 0, which is the mean after standard scaling.
    #[default]
    Mask,
    /// The last value before in the same series, in the inputs; 0 before the first. Targets are
    /// never filled.
    Forward,
    /// An error that names the first place.
    Refuse,
}

/// A series whose step changes for good, such as from hours to minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrequencyChange {
    /// An error that names the place: a lookback would mean two lengths of time.
    #[default]
    Refuse,
    /// Reported and kept.
    Keep,
}
