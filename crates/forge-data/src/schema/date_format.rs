//! Dates written by a pattern that the caller gives.

use chrono::format::{Item, ParseErrorKind, Parsed, StrftimeItems, parse as parse_items};
use chrono::{NaiveTime, Timelike};

use super::date_time::{DAY, Instant};
use crate::DataError;

/// Refuses a pattern that is not one of `strftime`, or that names no day.
pub(crate) fn check(pattern: &str) -> Result<(), DataError> {
    let refuse = |why: &str| {
        Err(DataError::config(format!(
            "the date pattern '{pattern}' {why}; allowed are `strftime` patterns such as \
             '%m/%d/%Y' or '%d.%m.%y %H:%M', and day-first and month-first"
        )))
    };
    let mut fields = false;
    for item in StrftimeItems::new(pattern) {
        match item {
            Item::Error => return refuse("is not known"),
            Item::Numeric(..) | Item::Fixed(_) => fields = true,
            _ => {}
        }
    }
    if fields {
        Ok(())
    } else {
        refuse("has no field")
    }
}

/// The time that a text says by a pattern; midnight where the pattern has no time of day, and the first
/// day of the month, quarter or year where it has no day.
pub(crate) fn parse(text: &str, pattern: &str) -> Option<Instant> {
    let mut parsed = Parsed::new();
    parse_items(&mut parsed, text, StrftimeItems::new(pattern)).ok()?;
    let date = match parsed.to_naive_date() {
        Ok(date) => date,
        Err(error) if error.kind() == ParseErrorKind::NotEnough => first_day(parsed.clone())?,
        Err(_) => return None,
    };
    let time = match parsed.to_naive_time() {
        Ok(time) => time,
        Err(_) if parsed.hour_mod_12().is_none() && parsed.minute().is_none() => NaiveTime::MIN,
        Err(_) => return None,
    };
    let nanoseconds = i64::from(time.nanosecond());
    let local = i64::from(time.num_seconds_from_midnight()) * 1000 + nanoseconds / 1_000_000;
    let days = i64::from(chrono::Datelike::num_days_from_ce(&date)) - 719_163;
    let ahead = parsed.offset().map(|seconds| seconds / 60);
    let offset = i16::try_from(ahead.unwrap_or(0)).ok()?;
    Some(Instant {
        milliseconds: days * DAY + local - i64::from(offset) * 60_000,
        cut: nanoseconds % 1_000_000 != 0,
        offset,
    })
}

/// Of a month, a quarter or a year.
fn first_day(mut parsed: Parsed) -> Option<chrono::NaiveDate> {
    if parsed.month().is_none() {
        let quarter = i64::from(parsed.quarter().unwrap_or(1));
        parsed.set_month(3 * quarter - 2).ok()?;
    }
    parsed.set_day(1).ok()?;
    parsed.to_naive_date().ok()
}

#[cfg(test)]
mod tests {
    use super::{check, parse};

    fn ms(text: &str, pattern: &str) -> Option<i64> {
        parse(text, pattern).map(|i| i.milliseconds)
    }

    #[test]
    fn patterns_say_where_the_day_stands() {
        // Seconds from `date -u -d ... +%s`.
        assert_eq!(ms("14.09.23", "%d.%m.%y"), Some(1_694_649_600_000));
        assert_eq!(
            ms("9/14/2023 4:15 PM", "%m/%d/%Y %I:%M %p"),
            Some(1_694_708_100_000)
        );
        assert_eq!(ms("2023-257", "%Y-%j"), Some(1_694_649_600_000));
        // Without a day, its first.
        assert_eq!(ms("2023-09", "%Y-%m"), Some(1_693_526_400_000));
        assert_eq!(ms("2023Q3", "%YQ%q"), Some(1_688_169_600_000));
        assert_eq!(ms("2023", "%Y"), Some(1_672_531_200_000));
        let zoned = parse("14/09/2023 16:15 -0400", "%d/%m/%Y %H:%M %z")
            .map(|i| (i.milliseconds, i.offset));
        assert_eq!(zoned, Some((1_694_722_500_000, -240)));
        for (text, pattern) in [
            ("31.02.23", "%d.%m.%y"),
            ("14.09.23x", "%d.%m.%y"),
            ("", "%Y"),
        ] {
            assert_eq!(ms(text, pattern), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        assert!(check("%d.%m.%Y").is_ok());
        for pattern in ["%Q", "", "day"] {
            assert!(check(pattern).is_err(), "{pattern}");
        }
    }
}
