//! Days, weekdays and listed expiries. A day is a number: days since 1970-01-01.

use std::collections::BTreeSet;

use crate::DataError;

pub(super) const MILLIS_PER_DAY: i64 = 86_400_000;

const FRIDAY: i64 = 4;

/// Days from 1970-01-01 to a date of the Gregorian calendar; months beyond 1 to 12 carry over.
fn day_number(year: i64, month: i64, day: i64) -> i64 {
    // Years from March, so that the leap day is the last of its year.
    let months = year * 12 + month - 3;
    let (y, m) = (months.div_euclid(12), months.rem_euclid(12));
    let leap_days = y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400);
    // Months from March have 31, 30, 31, 30, 31 days, over and over: 153 in five.
    365 * y + leap_days + (153 * m + 2) / 5 + day - 1 - 719_468
}

/// The year and month of a day.
fn year_month(day: i64) -> (i64, i64) {
    // The mean year is at most a year off; step to the right one, and month.
    let mut month = (day as f64 / 365.2425 * 12.0).floor() as i64 + 1970 * 12;
    let first = |month: i64| day_number(month.div_euclid(12), month.rem_euclid(12) + 1, 1);
    while first(month) > day {
        month -= 1;
    }
    while first(month + 1) <= day {
        month += 1;
    }
    (month.div_euclid(12), month.rem_euclid(12) + 1)
}

/// Monday = 0.
fn weekday(day: i64) -> i64 {
    (day + 3).rem_euclid(7)
}

/// Reads `YYYY-MM-DD`.
///
/// # Errors
/// A config error with the text, for a date that does not exist or lies outside 1970 to 2200.
pub(super) fn parse_day(text: &str) -> Result<i64, DataError> {
    let bad = || {
        DataError::config(format!(
            "start = '{text}' is out of range: allowed are dates YYYY-MM-DD from 1970 to 2200"
        ))
    };
    let parts: Vec<&str> = text.split('-').collect();
    let [y, m, d] = parts[..] else {
        return Err(bad());
    };
    let number = |part: &str, digits: usize| {
        let plain = part.len() == digits && part.bytes().all(|b| b.is_ascii_digit());
        plain
            .then(|| part.parse::<i64>().ok())
            .flatten()
            .ok_or_else(bad)
    };
    let (y, m, d) = (number(y, 4)?, number(m, 2)?, number(d, 2)?);
    let day = day_number(y, m, d);
    let exists =
        (1..=12).contains(&m) && d >= 1 && d <= day_number(y, m + 1, 1) - day_number(y, m, 1);
    if exists && (1970..=2200).contains(&y) {
        Ok(day)
    } else {
        Err(bad())
    }
}

/// `day` if it is Monday to Friday, else the next Monday. Holidays are not kept.
pub(super) fn trading_day(day: i64) -> i64 {
    day + (7 - weekday(day)) * i64::from(weekday(day) > FRIDAY)
}

/// The third Friday of a month.
fn third_friday(year: i64, month: i64) -> i64 {
    let first = day_number(year, month, 1);
    first + (FRIDAY - weekday(first)).rem_euclid(7) + 14
}

/// Which expiries are listed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listing {
    /// Fridays.
    pub(super) weeklies: u32,
    /// Third Fridays.
    pub(super) monthlies: u32,
    /// Third Fridays of March, June, September and December.
    pub(super) quarterlies: u32,
}

/// The expiries listed on `day`, ascending, all after it.
pub(super) fn expiries(day: i64, listing: Listing) -> Vec<i64> {
    let mut out = BTreeSet::new();
    let next_friday = day + 1 + (FRIDAY - weekday(day + 1)).rem_euclid(7);
    out.extend((0..i64::from(listing.weeklies)).map(|week| next_friday + 7 * week));
    let (year, month) = year_month(day);
    let mut take = |count: u32, every: i64| {
        let candidates = (0..)
            .map(|i| (year, month + i))
            .filter(|(_, m)| m % every == 0);
        let fridays = candidates
            .map(|(y, m)| third_friday(y, m))
            .filter(|f| *f > day);
        out.extend(fridays.take(count as usize));
    };
    take(listing.monthlies, 1);
    take(listing.quarterlies, 3);
    out.into_iter().collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Listing, day_number, expiries, parse_day, trading_day, weekday, year_month};

    #[test]
    fn days_count_from_1970() {
        assert_eq!(parse_day("1970-01-01").unwrap(), 0);
        assert_eq!(parse_day("2000-02-29").unwrap(), 11_016);
        assert_eq!(parse_day("2024-01-02").unwrap(), 19_724);
        assert_eq!(parse_day("2100-03-01").unwrap(), 47_541);
        for bad in [
            "2023-02-29",
            "2024-13-01",
            "2024-1-2",
            "02.01.2024",
            "",
            "2024-00-10",
            "+024-01-02",
        ] {
            assert!(parse_day(bad).unwrap_err().is_config(), "{bad}");
        }
        for day in (0..80_000).step_by(13) {
            let (y, m) = year_month(day);
            assert!(
                day_number(y, m, 1) <= day && day < day_number(y, m + 1, 1),
                "{day}"
            );
        }
    }

    #[test]
    fn expiries_are_fridays_and_age() {
        let tuesday = parse_day("2024-01-02").unwrap();
        assert_eq!(weekday(tuesday), 1);
        assert_eq!(trading_day(tuesday + 4), tuesday + 6);
        let listing = Listing {
            weeklies: 4,
            monthlies: 3,
            quarterlies: 5,
        };
        let listed = expiries(tuesday, listing);
        let dates = [
            "2024-01-05",
            "2024-01-12",
            "2024-01-19",
            "2024-01-26",
            "2024-02-16",
            "2024-03-15",
            "2024-06-21",
            "2024-09-20",
            "2024-12-20",
            "2025-03-21",
        ];
        assert_eq!(listed, dates.map(|d| parse_day(d).unwrap()));
        // What was listed stays listed until it expires.
        for day in tuesday..tuesday + 500 {
            let after = expiries(day + 1, listing);
            assert!(
                expiries(day, listing)
                    .iter()
                    .all(|e| *e == day + 1 || after.contains(e))
            );
        }
    }
}
