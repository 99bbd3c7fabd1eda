//! When the steps of a panel come: what lies between two rows, and what comes after the last.

use serde::{Deserialize, Serialize};

use super::Frequency;
use crate::schema::date_time::{DAY, civil_from_days, days_from_civil};

/// When the steps of a panel come, by the pattern that was observed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Timetable {
    pub(super) frequency: Frequency,
    /// Whether each weekday usually has rows, from Monday; all for frequencies without weekdays.
    pub(super) weekdays: [bool; 7],
    /// For sessions: the times of day (milliseconds) at which each weekday usually has bars.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) slots: Vec<Vec<u32>>,
    /// Local days on which any series has a row, ascending. Days beyond them are not known to be
    /// open or closed.
    #[serde(skip)]
    pub(super) open: Vec<i64>,
}

/// A time in both clocks, milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) utc: i64,
    pub(super) local: i64,
}

impl Stamp {
    pub(super) fn new(utc: i64, offset: i16) -> Self {
        Self {
            utc,
            local: utc + i64::from(offset) * 60_000,
        }
    }

    /// Minutes ahead of UTC.
    pub(super) fn offset(self) -> i16 {
        ((self.local - self.utc) / 60_000) as i16
    }
}

/// What lies between two neighbouring rows of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Between {
    /// So many steps are missing; `short` where a session ended early or began late.
    Missing { steps: u64, short: bool },
    /// The second is not on the grid of the first.
    OffGrid,
}

pub(super) fn weekday(day: i64) -> usize {
    (day + 3).rem_euclid(7) as usize
}

pub(super) fn day_of(local: i64) -> i64 {
    local.div_euclid(DAY)
}

fn month_of(day: i64) -> (i64, i64) {
    let (year, month, day) = civil_from_days(day);
    (year * 12 + month - 1, day)
}

/// Day of a month counted from year 0, the last one where the month is shorter.
fn in_month(month: i64, day: i64) -> i64 {
    let of = |day| days_from_civil(month.div_euclid(12), month.rem_euclid(12) + 1, day);
    (1..=day).rev().find_map(of).unwrap_or_default()
}

impl Timetable {
    pub(super) fn new(frequency: Frequency) -> Self {
        Self {
            frequency,
            weekdays: [true; 7],
            slots: Vec::new(),
            open: Vec::new(),
        }
    }

    fn slots_of(&self, day: i64) -> &[u32] {
        self.slots.get(weekday(day)).map_or(&[], Vec::as_slice)
    }

    /// Days open to the panel strictly between two days.
    fn open_between(&self, first: i64, second: i64) -> &[i64] {
        let from = self.open.partition_point(|day| *day <= first);
        let to = self.open.partition_point(|day| *day < second);
        self.open.get(from..to).unwrap_or_default()
    }

    pub(super) fn between(&self, first: Stamp, second: Stamp) -> Between {
        let steps = |count: i64| Between::Missing {
            steps: count.unsigned_abs(),
            short: false,
        };
        let (from, to) = (day_of(first.local), day_of(second.local));
        match self.frequency {
            Frequency::Irregular => steps(0),
            Frequency::Every(step) => {
                let span = if step < DAY {
                    second.utc - first.utc
                } else {
                    second.local - first.local
                };
                if span > 0 && span % step == 0 {
                    steps(span / step - 1)
                } else {
                    Between::OffGrid
                }
            }
            Frequency::Business if from == to => Between::OffGrid,
            Frequency::Business => steps(self.open_between(from, to).len() as i64),
            Frequency::Months(count) => {
                let months = month_of(to).0 - month_of(from).0;
                if months > 0 && months % i64::from(count) == 0 {
                    steps(months / i64::from(count) - 1)
                } else {
                    Between::OffGrid
                }
            }
            Frequency::Sessions(_) => {
                let place = |stamp: Stamp, day| {
                    let of_day = stamp.local.rem_euclid(DAY) as u32;
                    self.slots_of(day).binary_search(&of_day)
                };
                let (Ok(a), Ok(b)) = (place(first, from), place(second, to)) else {
                    return Between::OffGrid;
                };
                if from == to {
                    return if b > a {
                        steps((b - a - 1) as i64)
                    } else {
                        Between::OffGrid
                    };
                }
                let days = self.open_between(from, to);
                Between::Missing {
                    steps: days
                        .iter()
                        .map(|day| self.slots_of(*day).len() as u64)
                        .sum(),
                    short: a + 1 < self.slots_of(from).len() || b > 0,
                }
            }
        }
    }

    /// The times that [`Gaps::Fill`](super::Gaps::Fill) puts between two rows: local ones, but UTC
    /// for steps below a day without sessions.
    pub(super) fn missing(&self, first: Stamp, second: Stamp) -> Vec<i64> {
        let (from, to) = (day_of(first.local), day_of(second.local));
        let of_day = first.local.rem_euclid(DAY);
        match self.frequency {
            Frequency::Irregular => Vec::new(),
            Frequency::Every(step) => {
                let (start, end) = if step < DAY {
                    (first.utc, second.utc)
                } else {
                    (first.local, second.local)
                };
                let count = (end - start) / step;
                (1..count).map(|i| start + i * step).collect()
            }
            Frequency::Business => {
                let days = self.open_between(from, to);
                days.iter().map(|day| day * DAY + of_day).collect()
            }
            Frequency::Months(count) => {
                let (start, end) = (month_of(from).0, month_of(to).0);
                let months = ((start + i64::from(count))..end).step_by(count as usize);
                months
                    .map(|month| in_month(month, self.day_in_month(from)) * DAY + of_day)
                    .collect()
            }
            Frequency::Sessions(_) if from == to => {
                let between = |slot: &&u32| {
                    let time = from * DAY + i64::from(**slot);
                    first.local < time && time < second.local
                };
                let slots = self.slots_of(from).iter().filter(between);
                slots.map(|slot| from * DAY + i64::from(*slot)).collect()
            }
            Frequency::Sessions(_) => Vec::new(),
        }
    }

    /// The day of the month that a monthly series keeps: 31 for the last one.
    fn day_in_month(&self, day: i64) -> i64 {
        let (month, of_month) = month_of(day);
        if in_month(month, 31) == day {
            31
        } else {
            of_month
        }
    }

    /// Whether steps are counted in UTC rather than on the series' clock.
    pub(super) fn in_utc(&self) -> bool {
        matches!(self.frequency, Frequency::Every(step) if step < DAY)
    }

    /// The step after a row: a local time, or UTC by [`in_utc`](Self::in_utc). `None` where there is
    /// no rule.
    pub(super) fn next(&self, stamp: Stamp) -> Option<i64> {
        let day = day_of(stamp.local);
        let of_day = stamp.local.rem_euclid(DAY);
        let next_day = || (day + 1..=day + 7).find(|day| self.weekdays[weekday(*day)]);
        match self.frequency {
            Frequency::Irregular => None,
            Frequency::Every(step) if step < DAY => Some(stamp.utc + step),
            Frequency::Every(step) => Some(stamp.local + step),
            Frequency::Business => Some(next_day()? * DAY + of_day),
            Frequency::Months(count) => {
                let month = month_of(day).0 + i64::from(count);
                Some(in_month(month, self.day_in_month(day)) * DAY + of_day)
            }
            Frequency::Sessions(_) => {
                let slots = self.slots_of(day);
                let after = slots.partition_point(|slot| i64::from(*slot) <= of_day);
                if let Some(slot) = slots.get(after) {
                    return Some(day * DAY + i64::from(*slot));
                }
                let day = (day + 1..=day + 7).find(|day| !self.slots_of(*day).is_empty())?;
                Some(day * DAY + i64::from(self.slots_of(day)[0]))
            }
        }
    }

    /// Which bar of its day a local time is, from 0, and how many bars such a day has.
    pub(super) fn bar_of_day(&self, local: i64) -> (u32, u32) {
        let of_day = local.rem_euclid(DAY);
        match self.frequency {
            Frequency::Every(step) if step < DAY => {
                let bars = (DAY + step - 1) / step;
                ((of_day / step) as u32, bars as u32)
            }
            Frequency::Sessions(_) => {
                let slots = self.slots_of(day_of(local));
                let before = slots.partition_point(|slot| i64::from(*slot) <= of_day);
                (before.saturating_sub(1) as u32, slots.len().max(1) as u32)
            }
            _ => (0, 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Between, DAY, Stamp, Timetable, weekday};
    use crate::series::Frequency;

    fn at(local: i64) -> Stamp {
        Stamp { utc: local, local }
    }

    #[test]
    fn steps_of_each_frequency_follow_each_other() {
        // 2024-01-31, a Wednesday.
        let start = 19_753 * DAY;
        assert_eq!(weekday(19_753), 2);
        let after = |timetable: &Timetable, n: usize| {
            (0..n).fold(start, |time, _| timetable.next(at(time)).unwrap_or(time))
        };
        let mut business = Timetable::new(Frequency::Business);
        business.weekdays = [true, true, true, true, true, false, false];
        assert_eq!(after(&business, 3), start + 5 * DAY);
        let months = Timetable::new(Frequency::Months(1));
        // The end of the month is kept: 29 February, 31 March.
        assert_eq!(after(&months, 1), start + 29 * DAY);
        assert_eq!(after(&months, 2), start + 60 * DAY);
        assert_eq!(
            months.between(at(start), at(start + 60 * DAY)),
            Between::Missing {
                steps: 1,
                short: false,
            }
        );
        assert_eq!(
            months.missing(at(start), at(start + 60 * DAY)),
            [start + 29 * DAY]
        );
        let mut sessions = Timetable::new(Frequency::Sessions(3_600_000));
        sessions.slots = vec![vec![36_000_000, 39_600_000]; 7];
        sessions.slots[3].clear();
        assert_eq!(after(&sessions, 2), start + 39_600_000);
        // Thursdays are closed.
        assert_eq!(after(&sessions, 3), start + 2 * DAY + 36_000_000);
        assert_eq!(sessions.bar_of_day(start + 39_600_000), (1, 2));
        assert_eq!(
            Timetable::new(Frequency::Every(300_000)).bar_of_day(start + 600_000),
            (2, 288)
        );
        assert_eq!(after(&Timetable::new(Frequency::Irregular), 1), start);
    }
}
