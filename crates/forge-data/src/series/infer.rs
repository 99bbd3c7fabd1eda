//! The frequency that the times of series show.

use std::collections::{BTreeMap, HashMap};

use super::Frequency;
use super::timetable::{Stamp, Timetable, day_of, weekday};
use crate::schema::date_time::{DAY, civil_from_days};

/// A change of the step in the middle of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StepChange {
    /// The row from which on steps differ.
    pub(super) row: usize,
    pub(super) before: Frequency,
    pub(super) after: Frequency,
}

/// Most frequent first, the smaller first where two are as frequent.
fn counted(values: impl Iterator<Item = i64>) -> Vec<(i64, usize)> {
    let mut counts: HashMap<i64, usize> = HashMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_unstable_by_key(|(value, count)| (usize::MAX - count, *value));
    counts
}

/// The frequency of one series with distinct ascending times; `None` where there are too few.
pub(super) fn infer(stamps: &[Stamp]) -> Option<Frequency> {
    let (first, last) = (*stamps.first()?, *stamps.last()?);
    let pairs = || stamps.windows(2).map(|pair| (pair[0], pair[1]));
    let n = stamps.len() - 1;
    if n < 2 {
        return None;
    }
    let most = |counts: &[(i64, usize)]| counts.first().copied().filter(|(_, c)| 2 * c >= n);
    let days = counted(pairs().map(|(a, b)| day_of(b.local) - day_of(a.local)));
    if days.iter().any(|(days, _)| *days == 0) {
        let steps = counted(pairs().map(|(a, b)| b.utc - a.utc));
        let Some((step, _)) = most(&steps) else {
            return Some(Frequency::Irregular);
        };
        // One step throughout leaves no night.
        return Some(
            if steps.len() > 1 && DAY % step == 0 && has_sessions(stamps, step) {
                Frequency::Sessions(step)
            } else {
                Frequency::Every(step)
            },
        );
    }
    // One row a day at most.
    let span = day_of(last.local) - day_of(first.local);
    if span >= 26 * n as i64 {
        let months = |stamp: Stamp| {
            let (year, month, _) = civil_from_days(day_of(stamp.local));
            year * 12 + month
        };
        let steps = counted(pairs().map(|(a, b)| months(b) - months(a)));
        if let Some((count @ 1.., _)) = most(&steps) {
            return Some(u32::try_from(count).map_or(Frequency::Irregular, Frequency::Months));
        }
    }
    let exact = counted(pairs().map(|(a, b)| b.local - a.local));
    match (most(&days), most(&exact)) {
        (Some((1, _)), _) => {
            let held = weekdays_held(stamps.iter().map(|s| day_of(s.local)));
            // A few days of one week do not tell business days from days.
            let weekend = (day_of(first.local)..=day_of(last.local)).any(|day| weekday(day) >= 5);
            if !weekend {
                return None;
            }
            Some(if held[5] && held[6] {
                Frequency::Every(DAY)
            } else {
                Frequency::Business
            })
        }
        (_, Some((step, _))) => Some(Frequency::Every(step)),
        (Some((days, _)), None) => Some(Frequency::Every(days * DAY)),
        (None, None) => Some(Frequency::Irregular),
    }
}

/// Which weekdays are usual among these days: those with at least a fifth as many as the most
/// frequent one has.
pub(super) fn weekdays_held(days: impl Iterator<Item = i64>) -> [bool; 7] {
    let mut counts = [0_usize; 7];
    for day in days {
        counts[weekday(day)] += 1;
    }
    let most = counts.iter().copied().max().unwrap_or(0);
    counts.map(|count| count > 0 && 5 * count >= most)
}

/// Whether bars stop for a part of the day or the week.
fn has_sessions(stamps: &[Stamp], step: i64) -> bool {
    let mut days: Vec<i64> = stamps.iter().map(|s| day_of(s.local)).collect();
    days.dedup();
    if days.len() < 5 {
        // Too few days for a pattern: sessions if no day runs on into the next, and one begins
        // within a long weekend of another.
        let ends = stamps
            .windows(2)
            .filter(|pair| day_of(pair[0].local) != day_of(pair[1].local))
            .map(|pair| pair[1].utc - pair[0].utc);
        let shortest = ends.min();
        return shortest.is_some_and(|gap| gap > step && gap < 5 * DAY);
    }
    let slots = usual_slots(stamps.iter().map(|s| s.local));
    let bars: usize = slots.iter().map(Vec::len).sum();
    (bars as f64) < 0.98 * (7 * DAY / step) as f64
}

/// The times of day at which each weekday usually has rows: on at least half of the days of that
/// weekday that have any. A weekday that the range cannot have shown is taken to be as the others.
pub(super) fn usual_slots(local: impl Iterator<Item = i64>) -> Vec<Vec<u32>> {
    let mut counts: [HashMap<u32, u32>; 7] = Default::default();
    let mut days: BTreeMap<i64, ()> = BTreeMap::new();
    let mut seen = std::collections::HashSet::new();
    for time in local {
        let day = day_of(time);
        // Several series count once.
        if seen.insert(time) {
            *counts[weekday(day)]
                .entry(time.rem_euclid(DAY) as u32)
                .or_default() += 1;
            days.insert(day, ());
        }
    }
    let mut held = [0_u32; 7];
    for day in days.keys() {
        held[weekday(*day)] += 1;
    }
    let mut slots: Vec<Vec<u32>> = counts
        .iter()
        .zip(held)
        .map(|(counts, days)| {
            let usual = counts.iter().filter(|(_, count)| 2 * **count >= days);
            let mut slots: Vec<u32> = usual.map(|(slot, _)| *slot).collect();
            slots.sort_unstable();
            slots
        })
        .collect();
    let span = match (days.keys().next(), days.keys().next_back()) {
        (Some(first), Some(last)) => last - first,
        _ => 0,
    };
    if span < 14 {
        let longest = slots.iter().max_by_key(|slots| slots.len()).cloned();
        for (slots, _) in slots.iter_mut().zip(held).take(5).filter(|day| day.1 == 0) {
            *slots = longest.clone().unwrap_or_default();
        }
    }
    slots
}

/// The timetable of a panel whose series have this frequency.
pub(super) fn timetable(frequency: Frequency, series: &[Vec<Stamp>]) -> Timetable {
    let mut table = Timetable::new(frequency);
    table.open = series
        .iter()
        .flatten()
        .map(|stamp| day_of(stamp.local))
        .collect();
    table.open.sort_unstable();
    table.open.dedup();
    match frequency {
        Frequency::Business => {
            table.weekdays = weekdays_held(table.open.iter().copied());
            if table.weekdays == [false; 7] {
                table.weekdays = [true, true, true, true, true, false, false];
            }
        }
        Frequency::Sessions(_) => {
            table.slots = usual_slots(series.iter().flatten().map(|stamp| stamp.local));
            for (open, slots) in table.weekdays.iter_mut().zip(&table.slots) {
                *open = !slots.is_empty();
            }
        }
        _ => {}
    }
    table
}

/// Where the step changes for good, if it does: of the two most frequent steps one stands before a
/// place and the other after it, with hardly an exception. Weekends and nights lie all over a
/// series and are no change.
pub(super) fn change(stamps: &[Stamp]) -> Option<StepChange> {
    // Steps of 28 to 31 days are one month, and so on.
    let class = |pair: &[Stamp]| {
        let span = pair[1].utc - pair[0].utc;
        match (span + DAY / 2).div_euclid(DAY) {
            28..=31 => 30 * DAY,
            89..=92 => 91 * DAY,
            365..=366 => 365 * DAY,
            _ => span,
        }
    };
    let steps: Vec<i64> = stamps.windows(2).map(class).collect();
    let counts = counted(steps.iter().copied());
    let [(a, count_a), (b, count_b), ..] = counts[..] else {
        return None;
    };
    let enough = (steps.len() / 50).max(4);
    if count_b < enough || 2 * (count_a + count_b) < steps.len() {
        return None;
    }
    // The place that puts most of one step before it and most of the other after it.
    let (mut a_before, mut b_before) = (0, 0);
    let mut best = (0, 0, false);
    for (i, step) in steps.iter().enumerate() {
        a_before += usize::from(*step == a);
        b_before += usize::from(*step == b);
        let a_first = a_before + (count_b - b_before);
        let b_first = b_before + (count_a - a_before);
        if a_first > best.0 {
            best = (a_first, i + 1, true);
        }
        if b_first > best.0 {
            best = (b_first, i + 1, false);
        }
    }
    let (right, row, a_first) = best;
    let wrong = count_a + count_b - right;
    // All exceptions together must be few beside the rarer step.
    if 10 * wrong > count_b || row == steps.len() {
        return None;
    }
    let of = |step: i64| match step / DAY {
        30 if step % DAY == 0 => Frequency::Months(1),
        91 if step % DAY == 0 => Frequency::Months(3),
        365 if step % DAY == 0 => Frequency::Months(12),
        _ => Frequency::Every(step),
    };
    let (before, after) = if a_first {
        (of(a), of(b))
    } else {
        (of(b), of(a))
    };
    Some(StepChange { row, before, after })
}

#[cfg(test)]
mod tests {
    use super::{Stamp, change, infer, weekday};
    use crate::schema::date_time::DAY;
    use crate::series::Frequency;

    const HOUR: i64 = 3_600_000;

    fn at(times: impl IntoIterator<Item = i64>) -> Vec<Stamp> {
        let stamp = |local| Stamp { utc: local, local };
        times.into_iter().map(stamp).collect()
    }

    fn weekdays(n: i64) -> impl Iterator<Item = i64> {
        (19_000..19_000 + n).filter(|day| weekday(*day) < 5)
    }

    #[test]
    fn frequencies_are_told_by_their_times() {
        let told = |times: Vec<i64>| infer(&at(times));
        assert_eq!(
            told((0..9).map(|i| i * 300_000).collect()),
            Some(Frequency::Every(300_000))
        );
        assert_eq!(
            told((0..40).map(|i| i * DAY).collect()),
            Some(Frequency::Every(DAY))
        );
        assert_eq!(
            told((0..9).map(|i| i * 7 * DAY).collect()),
            Some(Frequency::Every(7 * DAY))
        );
        // A holiday in between.
        assert_eq!(
            told(
                weekdays(60)
                    .filter(|d| *d != 19_030)
                    .map(|d| d * DAY)
                    .collect()
            ),
            Some(Frequency::Business)
        );
        let sessions: Vec<i64> = weekdays(30)
            .flat_map(|day| (9..16).map(move |hour| day * DAY + hour * HOUR))
            .collect();
        assert_eq!(told(sessions), Some(Frequency::Sessions(HOUR)));
        // Sunday evening to Friday afternoon, with a break each day: futures.
        let futures: Vec<i64> = (19_000..19_040)
            .flat_map(|day| (0..24).map(move |hour| (day, hour)))
            .filter(|(day, hour)| match weekday(*day) {
                5 => false,
                6 => *hour >= 18,
                4 => *hour < 17,
                _ => *hour != 17,
            })
            .map(|(day, hour)| day * DAY + hour * HOUR)
            .collect();
        assert_eq!(told(futures), Some(Frequency::Sessions(HOUR)));
        // 1970 to 1971, the first of each month.
        let months = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];
        assert_eq!(
            told(months.map(|d| d * DAY).to_vec()),
            Some(Frequency::Months(1))
        );
        assert_eq!(told(vec![0, 7, 19, 400, 401]), Some(Frequency::Irregular));
        assert_eq!(told(vec![0, DAY]), None);
    }

    #[test]
    fn a_step_that_changes_is_found_and_a_weekend_is_none() {
        let hours = (0..50).map(|i| i * HOUR);
        let minutes = (0..90).map(|i| 50 * HOUR + i * 300_000);
        let found = change(&at(hours.chain(minutes)));
        assert_eq!(
            found.map(|c| (c.row, c.before, c.after)),
            Some((50, Frequency::Every(HOUR), Frequency::Every(300_000)))
        );
        let daily = weekdays(400).map(|d| d * DAY);
        assert_eq!(change(&at(daily)), None);
        let monthly: Vec<i64> = (0..30).map(|i| i * 30 * DAY).collect();
        let end = 30 * 30 * DAY;
        let then_daily = monthly.into_iter().chain((0..40).map(|i| end + i * DAY));
        let found = change(&at(then_daily));
        assert_eq!(
            found.map(|c| (c.row, c.before)),
            Some((30, Frequency::Months(1)))
        );
        let sessions =
            weekdays(60).flat_map(|day| (9..16).map(move |hour| day * DAY + hour * HOUR));
        assert_eq!(change(&at(sessions)), None);
    }
}
