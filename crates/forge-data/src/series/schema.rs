//! What a table of series must keep the same from training to prediction.

use serde::{Deserialize, Serialize};

use super::shown::{frequency_in, shown_in};
use super::timetable::{Stamp, Timetable};
use super::zone::{Wall, Zone};
use super::{CalendarFields, Frequency, SeriesConfig, TimeUnit};
use crate::schema::date_time;
use crate::{Categorical, DataError};

/// What a table of series must keep the same from training to prediction: columns, frequency and
/// sessions, ids of the series and codes of fixed labels. A part of a model's file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeriesSchema {
    /// The columns and policies.
    pub config: SeriesConfig,
    /// When steps come.
    pub(super) timetable: Timetable,
    /// Ids of the series, in order of their numbers.
    pub(super) ids: Vec<String>,
    /// Fixed columns, in the config's order.
    pub(super) fixed: Vec<FixedColumn>,
}

/// What a fixed column holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixedColumn {
    /// The header.
    pub name: String,
    /// For labels: those that there are; code 0 is missing or unknown, 1 the first of these. `None`
    /// for numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
}

impl FixedColumn {
    /// The code of a label; 0 where it is missing or not known.
    #[must_use]
    pub fn code(&self, label: Option<&str>) -> u32 {
        let labels = self.labels.as_deref().unwrap_or_default();
        let place = label.and_then(|label| labels.iter().position(|known| known == label));
        place.map_or(0, |place| place as u32 + 1)
    }
}

impl SeriesSchema {
    /// How far the steps lie apart.
    #[must_use]
    pub fn frequency(&self) -> Frequency {
        self.timetable.frequency
    }

    /// Ids of the series that the table had, in order of their numbers; one empty id where the
    /// config has no column of ids.
    #[must_use]
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// Fixed columns that hold numbers, in the order of a batch.
    pub fn fixed_numbers(&self) -> impl Iterator<Item = &FixedColumn> {
        self.fixed.iter().filter(|column| column.labels.is_none())
    }

    /// Fixed columns that hold labels, in the order of a batch's codes.
    pub fn fixed_labels(&self) -> impl Iterator<Item = &FixedColumn> {
        self.fixed.iter().filter(|column| column.labels.is_some())
    }

    /// What the numbers in the column of times count; absent where it holds dates.
    #[must_use]
    pub fn time_unit(&self) -> Option<TimeUnit> {
        self.config.unit()
    }

    /// Whether steps lie on a calendar: they are not only numbered, and those ahead have a time.
    #[must_use]
    pub fn has_calendar(&self) -> bool {
        self.frequency() != Frequency::Irregular && self.time_unit() != Some(TimeUnit::Steps)
    }

    /// Milliseconds UTC of a time written as in ISO 8601, on the clock of the config's zone where
    /// it has no offset; or of a number where the column of times holds numbers.
    ///
    /// # Errors
    /// A config error if it is no such time, or one that the zone's clock shows twice or never.
    pub fn time(&self, text: &str) -> Result<i64, DataError> {
        let number = || text.trim().parse::<f64>().ok();
        if let Some(time) = self.time_unit().and_then(|unit| unit.time(number()?)) {
            return Ok(time);
        }
        let instant = date_time::parse(text).ok_or_else(|| {
            DataError::config(format!(
                "'{text}' is not a time: allowed are 2023-09-14, 2023-09-14T16:15 and \
                 2023-09-14T16:15:00-04:00"
            ))
        })?;
        let has_offset = text.len() > 10 && text[10..].contains(['Z', 'z', '+', '-']);
        match self.config.zone()? {
            Some(zone) if !has_offset => match zone.wall(instant.milliseconds) {
                Wall::Once((utc, _)) => Ok(utc),
                _ => Err(DataError::config(format!(
                    "'{text}' is shown twice or never by clocks in {}: write it with its offset",
                    self.config.time_zone.as_deref().unwrap_or_default()
                ))),
            },
            _ => Ok(instant.milliseconds),
        }
    }

    /// A time as messages show it.
    pub(super) fn shown(&self, stamp: Stamp) -> String {
        shown_in(self.time_unit(), stamp.utc, stamp.offset())
    }

    /// How far steps lie apart, as messages say it.
    pub(super) fn shown_frequency(&self) -> String {
        frequency_in(self.time_unit(), self.frequency())
    }

    pub(super) fn zone(&self) -> Option<Zone> {
        self.config.zone().ok().flatten()
    }

    /// The step after one, by the timetable; `None` where there is no rule.
    pub(super) fn after(&self, stamp: Stamp, zone: Option<Zone>) -> Option<Stamp> {
        let next = self.timetable.next(stamp)?;
        Some(self.placed(next, stamp.offset(), zone))
    }

    /// A time of the timetable in both clocks. `offset` is the one nearby, for series without a
    /// zone.
    pub(super) fn placed(&self, time: i64, offset: i16, zone: Option<Zone>) -> Stamp {
        let ahead = i64::from(offset) * 60_000;
        if self.timetable.in_utc() {
            let offset = zone.map_or(offset, |zone| zone.offset_at(time));
            return Stamp::new(time, offset);
        }
        match zone.map(|zone| zone.wall(time)) {
            Some(Wall::Once((utc, offset)) | Wall::Twice((utc, offset), _)) => {
                Stamp::new(utc, offset)
            }
            // A clock that jumps over the time shows it an hour later.
            Some(Wall::Never) => {
                let utc = time - ahead;
                Stamp::new(utc, zone.map_or(offset, |zone| zone.offset_at(utc)))
            }
            None => Stamp::new(time - ahead, offset),
        }
    }

    /// Where a step lies in its day, week, month and year, on the series' own clock.
    pub(super) fn calendar(&self, stamp: Stamp) -> CalendarFields {
        CalendarFields::new(stamp.local, self.timetable.bar_of_day(stamp.local))
    }
}

/// The distinct labels that occur.
pub(super) fn labels_of(values: &Categorical) -> Vec<String> {
    let mut used = vec![false; values.categories.len()];
    for code in &values.codes {
        if let Some(used) = used.get_mut(*code as usize) {
            *used = true;
        }
    }
    let used = values.categories.iter().zip(used);
    used.filter(|(_, used)| *used)
        .map(|(label, _)| label.clone())
        .collect()
}
