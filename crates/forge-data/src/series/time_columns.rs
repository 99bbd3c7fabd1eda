//! Which columns hold the time of a row, and their reading.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::SeriesConfig;
use super::policies::{AmbiguousTimes, Stamps};
use super::shown::shown;
use super::zone::Wall;
use crate::schema::date_time::{DAY, time_of_day};
use crate::{Column, ColumnValues, DataError, Table};

/// The column of times, or a column of dates and one of times of day.
///
/// As TOML or JSON, a name or a list of two names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TimeColumns {
    /// One column.
    One(String),
    /// Dates, and times of day such as `09:30`.
    DateAndTime([String; 2]),
}

impl TimeColumns {
    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let names: &[String] = match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::DateAndTime(names) => names,
        };
        names.iter().map(String::as_str)
    }
}

impl From<&str> for TimeColumns {
    fn from(name: &str) -> Self {
        Self::One(name.into())
    }
}

impl From<String> for TimeColumns {
    fn from(name: String) -> Self {
        Self::One(name)
    }
}

impl From<[&str; 2]> for TimeColumns {
    fn from(names: [&str; 2]) -> Self {
        Self::DateAndTime(names.map(Into::into))
    }
}

/// What a number in a column of times counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeUnit {
    /// Thousandths of a second.
    Milliseconds,
    /// Seconds; parts of one are kept to the millisecond.
    Seconds,
    /// Minutes.
    Minutes,
    /// Hours, also for steps that are only numbered.
    Hours,
    /// Days.
    Days,
    /// Steps of any length that are only numbered: no calendar is read from them and no season guessed.
    Steps,
}

impl TimeUnit {
    fn milliseconds(self) -> f64 {
        match self {
            Self::Milliseconds => 1.0,
            Self::Seconds => 1000.0,
            Self::Minutes => 60_000.0,
            Self::Hours => 3_600_000.0,
            Self::Days | Self::Steps => DAY as f64,
        }
    }

    /// The number that stands for a time, of milliseconds.
    #[must_use]
    pub fn number(self, milliseconds: i64) -> f64 {
        milliseconds as f64 / self.milliseconds()
    }

    /// The time that a number stands for, in milliseconds, unless it is outside the years 0 to 9999.
    pub(super) fn time(self, number: f64) -> Option<i64> {
        // Numbers beyond i64 become its ends, which are no dates.
        let time = (number * self.milliseconds()).round() as i64;
        is_dated(time).then_some(time)
    }
}

/// Times of the rows: milliseconds UTC, and the minutes that each one's own clock is ahead of it.
#[derive(Debug)]
pub(super) struct Times {
    pub(super) utc: Vec<i64>,
    pub(super) offsets: Option<Vec<i16>>,
    /// Rows whose clock showed their time twice, after the config's choice.
    pub(super) ambiguous: Vec<usize>,
}

impl Times {
    /// Reads them, on the zone's clock where there is one. `series` is the number of each row's
    /// series.
    pub(super) fn read(
        table: &Table,
        config: &SeriesConfig,
        series: &[u32],
        ids: &[String],
    ) -> Result<Self, DataError> {
        let (mut utc, offsets, name) = match &config.time {
            TimeColumns::One(name) => {
                let column = table.column(name)?;
                let offsets = column.offsets.clone();
                (instants(column, config.time_unit)?, offsets, name)
            }
            TimeColumns::DateAndTime([date, time]) => {
                let mut utc = instants(table.column(date)?, None)?;
                if let Some(row) = utc.iter().position(|t| t.rem_euclid(DAY) != 0) {
                    return Err(DataError::schema(format!(
                        "has a time of day already ({}), and column '{time}' is named for it: \
                         name one column as time, or dates without a time of day",
                        shown(utc[row], 0)
                    ))
                    .at_column(date)
                    .at_index(row));
                }
                for (t, of_day) in utc.iter_mut().zip(times_of_day(table, time, config)?) {
                    *t += of_day;
                }
                (utc, None, date)
            }
        };
        let mut ambiguous = Vec::new();
        let Some(zone) = config.zone()? else {
            return Ok(Self {
                utc,
                offsets,
                ambiguous,
            });
        };
        let zone_name = config.time_zone.as_deref().unwrap_or_default();
        if offsets.is_none() && config.stamps.is_none() {
            return Err(DataError::config(format!(
                "the stamps have no offset, such as {}: set stamps to wall_clock if they are what \
                 clocks in {zone_name} show, or to utc if they are UTC, as where they end in Z",
                utc.first().map_or_else(String::new, |time| shown(*time, 0))
            ))
            .at_column(name));
        }
        if offsets.is_some() || config.stamps == Some(Stamps::Utc) {
            let offsets = utc.iter().map(|t| zone.offset_at(*t)).collect();
            return Ok(Self {
                utc,
                offsets: Some(offsets),
                ambiguous,
            });
        }
        let mut offsets = Vec::with_capacity(utc.len());
        let mut passed: HashSet<(u32, i64)> = HashSet::new();
        for (row, local) in utc.iter_mut().enumerate() {
            let wall = *local;
            let fault = |message: String| {
                Err(DataError::value(format!(
                    "series '{}' at {}: {message}",
                    ids[series[row] as usize],
                    shown(wall, 0)
                ))
                .at_column(name)
                .at_index(row))
            };
            let (time, offset) = match zone.wall(wall) {
                Wall::Once(found) => found,
                Wall::Never => {
                    return fault(format!(
                        "clocks in {zone_name} jump over this time when daylight saving begins: \
                         the stamps are of another zone; set time_zone to theirs, or stamps to utc"
                    ));
                }
                Wall::Twice(earlier, later) => {
                    ambiguous.push(row);
                    match config.ambiguous {
                        AmbiguousTimes::Refuse => {
                            return fault(format!(
                                "clocks in {zone_name} show this time twice, when daylight saving \
                                 ends: set ambiguous to in_order (a second occurrence is the \
                                 later), earlier or later, or write the stamps with their offset"
                            ));
                        }
                        AmbiguousTimes::Earlier => earlier,
                        AmbiguousTimes::Later => later,
                        AmbiguousTimes::InOrder if passed.insert((series[row], wall)) => earlier,
                        AmbiguousTimes::InOrder => later,
                    }
                }
            };
            *local = time;
            offsets.push(offset);
        }
        Ok(Self {
            utc,
            offsets: Some(offsets),
            ambiguous,
        })
    }
}

/// Milliseconds of a column of dates, or of numbers whose unit is known.
fn instants(column: &Column, unit: Option<TimeUnit>) -> Result<Vec<i64>, DataError> {
    let name = &column.name;
    if let Some(row) = (0..column.len()).find(|row| column.is_missing(*row)) {
        return Err(DataError::value(
            "has no time: every row of a series needs one; leave the row out of the file",
        )
        .at_column(name)
        .at_index(row));
    }
    match (&column.values, unit) {
        (ColumnValues::DateTime(_), Some(TimeUnit::Steps)) => Err(DataError::schema(
            "holds dates, where time_unit says numbered steps: leave time_unit out, or, with a model that \
             was trained on numbers, give it numbers",
        )
        .at_column(name)),
        (ColumnValues::DateTime(times), _) => {
            if let Some(row) = times.iter().position(|time| !is_dated(*time)) {
                return Err(undated(name, format!("{} ms", times[row])).at_index(row));
            }
            Ok(times.clone())
        }
        (ColumnValues::Numeric(values), Some(unit)) => numbers(values, unit, name),
        (ColumnValues::Numeric(_), None) => Err(DataError::schema(
            "holds numbers: set time_unit to what they count since 1970-01-01 (milliseconds, \
             seconds, minutes, hours, days), or to steps if they only number them, or declare the \
             column a date when reading, such as `datetime` for 20231231 or `datetime:%Y` for 2023",
        )
        .at_column(name)),
        (ColumnValues::Categorical(labels), _) => Err(DataError::schema(format!(
            "holds text such as '{}', not times: declare its pattern when reading, such as \
             `datetime:%d.%m.%Y %H:%M`",
            labels.categories.first().map_or("", String::as_str)
        ))
        .at_column(name)),
    }
}

/// Whether a time lies in the years 0 to 9999: those that dates are written in, and far from where
/// sums of times overflow.
pub(super) fn is_dated(time: i64) -> bool {
    (-62_167_219_200_000..253_402_300_800_000).contains(&time)
}

pub(super) fn undated(column: &str, what: String) -> DataError {
    DataError::value(format!(
        "{what} is outside the years 0 to 9999: mend the time, or set another time_unit"
    ))
    .at_column(column)
}

fn numbers(values: &[f64], unit: TimeUnit, name: &str) -> Result<Vec<i64>, DataError> {
    let read = |(row, value): (usize, &f64)| {
        let undated = || undated(name, format!("{value} counted in {unit:?}")).at_index(row);
        unit.time(*value).ok_or_else(undated)
    };
    values.iter().enumerate().map(read).collect()
}

/// Milliseconds since midnight.
fn times_of_day(table: &Table, name: &str, config: &SeriesConfig) -> Result<Vec<i64>, DataError> {
    let column = table.column(name)?;
    let fault = |row: usize, what: &str| {
        DataError::value(format!(
            "{what} is no time of day: allowed are 09:30, 09:30:00 and 09:30:00.123, or numbers \
             with time_unit"
        ))
        .at_column(name)
        .at_index(row)
    };
    let within = |row: usize, time: i64, what: &dyn Fn() -> String| {
        if (0..DAY).contains(&time) {
            Ok(time)
        } else {
            Err(fault(row, &what()))
        }
    };
    match &column.values {
        ColumnValues::Categorical(labels) => (0..column.len())
            .map(|row| {
                let text = labels.label(row).unwrap_or("an empty cell");
                let clock = time_of_day(text.as_bytes()).filter(|clock| clock.offset == 0);
                clock
                    .map(|clock| clock.local)
                    .ok_or_else(|| fault(row, text))
            })
            .collect(),
        ColumnValues::Numeric(_) => {
            let times = instants(column, config.time_unit)?;
            let checked = times.into_iter().enumerate();
            checked
                .map(|(row, time)| within(row, time, &|| format!("{time} ms")))
                .collect()
        }
        ColumnValues::DateTime(times) => times
            .iter()
            .enumerate()
            .map(|(row, time)| within(row, *time, &|| shown(*time, 0)))
            .collect(),
    }
}
