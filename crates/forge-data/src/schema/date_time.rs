//! ISO 8601 dates and times as milliseconds since 1970-01-01 UTC.

/// Milliseconds of a day.
pub(crate) const DAY: i64 = 86_400_000;

/// What a text says about time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instant {
    /// Milliseconds since 1970-01-01 UTC. A text without an offset is taken as UTC.
    pub(crate) milliseconds: i64,
    /// Whether digits beyond the millisecond were cut off.
    pub(crate) cut: bool,
    /// Minutes that the text's own clock is ahead of UTC; 0 where it has no offset.
    pub(crate) offset: i16,
}

/// A time of day as a text says it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Clock {
    /// Milliseconds since midnight on the text's own clock.
    pub(crate) local: i64,
    /// Minutes that this clock is ahead of UTC.
    pub(crate) offset: i16,
    pub(crate) cut: bool,
}

impl Clock {
    /// The time on a day, counted from 1970-01-01.
    pub(crate) fn on(self, days: i64) -> Instant {
        Instant {
            milliseconds: days * DAY + self.local - i64::from(self.offset) * 60_000,
            cut: self.cut,
            offset: self.offset,
        }
    }
}

/// Reads `2023-09-14`, `2023/09/14`, and either with `T` or a space and `16:15`, `16:15:00` or
/// `16:15:00.123456789`, and then `Z`, `+02:00`, `+0200` or `+02`. Anything else is `None`.
pub(crate) fn parse(text: &str) -> Option<Instant> {
    let bytes = text.as_bytes();
    let (date, rest) = bytes.split_at_checked(10)?;
    let separator = date[4];
    if !matches!(separator, b'-' | b'/') || date[7] != separator {
        return None;
    }
    let days = days_from_civil(
        number(&date[..4])?,
        number(&date[5..7])?,
        number(&date[8..])?,
    )?;
    let clock = match rest {
        [] => Clock::default(),
        [b'T' | b't' | b' ', rest @ ..] => time_of_day(rest)?,
        _ => return None,
    };
    Some(clock.on(days))
}

/// `YYYYMMDD`, which is a number unless a column is declared to hold dates.
pub(crate) fn parse_compact(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() != 8 {
        return None;
    }
    let days = days_from_civil(
        number(&bytes[..4])?,
        number(&bytes[4..6])?,
        number(&bytes[6..])?,
    )?;
    Some(days * DAY)
}

/// `2023-09-14T16:15:00.000Z` shortened to what it says: the date alone at midnight, no
/// fraction where it is zero. `None` outside the years 0 to 9999.
pub(crate) fn format(milliseconds: i64) -> Option<String> {
    let date = format_date(milliseconds)?;
    let time = milliseconds.rem_euclid(DAY);
    let (seconds, fraction) = (time / 1000, time % 1000);
    let (h, m, s) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    Some(if time == 0 {
        date
    } else if fraction == 0 {
        format!("{date}T{h:02}:{m:02}:{s:02}Z")
    } else {
        format!("{date}T{h:02}:{m:02}:{s:02}.{fraction:03}Z")
    })
}

/// The date alone. `None` outside the years 0 to 9999.
pub(crate) fn format_date(milliseconds: i64) -> Option<String> {
    let (year, month, day) = civil_from_days(milliseconds.div_euclid(DAY));
    (0..=9999)
        .contains(&year)
        .then(|| format!("{year:04}-{month:02}-{day:02}"))
}

/// Days since 1970-01-01 of a date in the proleptic Gregorian calendar; `None` if there is no
/// such day. Years are counted from March, so that the leap day is the last of its year.
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    let march_year = if month > 2 { year } else { year - 1 };
    let era = march_year.div_euclid(400);
    let year_of_era = march_year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// Year, month and day of a number of days since 1970-01-01.
pub(crate) fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let month = (march_month + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day_of_year - (153 * march_month + 2) / 5 + 1)
}

/// `16:15`, `16:15:00` or `16:15:00.123456789`, perhaps with an offset.
pub(crate) fn time_of_day(bytes: &[u8]) -> Option<Clock> {
    let (clock, rest) = bytes.split_at_checked(5)?;
    if clock[2] != b':' {
        return None;
    }
    let (hour, minute) = (number(&clock[..2])?, number(&clock[3..])?);
    let (mut second, mut milli, mut cut) = (0, 0, false);
    let mut rest = rest;
    if let [b':', a, b, tail @ ..] = rest {
        second = number(&[*a, *b])?;
        rest = tail;
        if let [b'.' | b',', tail @ ..] = rest {
            let digits = tail.iter().take_while(|b| b.is_ascii_digit()).count();
            if !(1..=9).contains(&digits) {
                return None;
            }
            for i in 0..3 {
                milli = milli * 10 + i64::from(tail[..digits].get(i).map_or(0, |b| b - b'0'));
            }
            cut = tail[..digits].iter().skip(3).any(|&b| b != b'0');
            rest = &tail[digits..];
        }
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let local = ((hour * 60 + minute) * 60 + second) * 1000 + milli;
    Some(Clock {
        local,
        offset: offset(rest)?,
        cut,
    })
}

/// Minutes that local time is ahead of UTC.
fn offset(bytes: &[u8]) -> Option<i16> {
    let (sign, hours, minutes) = match bytes {
        [] | [b'Z' | b'z'] => return Some(0),
        [sign @ (b'+' | b'-'), h @ ..] if h.len() == 2 => (sign, number(h)?, 0),
        [sign @ (b'+' | b'-'), hm @ ..] if hm.len() == 4 => {
            (sign, number(&hm[..2])?, number(&hm[2..])?)
        }
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            (sign, number(&[*h1, *h2])?, number(&[*m1, *m2])?)
        }
        _ => return None,
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    let ahead = i16::try_from(hours * 60 + minutes).ok()?;
    Some(if *sign == b'+' { ahead } else { -ahead })
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |value, b| {
        b.is_ascii_digit()
            .then(|| value * 10 + i64::from(*b - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::{DAY, format, parse};

    fn ms(text: &str) -> Option<i64> {
        parse(text).map(|i| i.milliseconds)
    }

    #[test]
    fn iso_forms_give_utc_milliseconds() {
        // Seconds from `date -u -d ... +%s`.
        assert_eq!(ms("2023-09-14"), Some(1_694_649_600_000));
        assert_eq!(ms("2023/09/14"), Some(1_694_649_600_000));
        assert_eq!(ms("2023-09-14 16:15"), Some(1_694_708_100_000));
        assert_eq!(ms("2023-09-14T16:15:00.25Z"), Some(1_694_708_100_250));
        assert_eq!(ms("2023-09-14T16:15:00-04:00"), Some(1_694_722_500_000));
        assert_eq!(ms("2023-09-14T16:15:00+0530"), Some(1_694_688_300_000));
        assert_eq!(ms("1969-12-31T23:59:59.999Z"), Some(-1));
        assert_eq!(ms("2000-02-29"), Some(951_782_400_000));
        assert_eq!(parse("2023-09-14T00:00:00.0015").map(|i| i.cut), Some(true));
        assert_eq!(
            parse("2023-09-14T00:00:00.0010").map(|i| i.cut),
            Some(false)
        );
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "2023-02-29",
            "1900-02-29",
            "2023-13-01",
            "2023-00-01",
            "2023-01-32",
            "2023-1-1",
            "14-09-2023",
            "2023-09/14",
            "2023-09-14T",
            "2023-09-14T24:00",
            "2023-09-14T12:60",
            "2023-09-14T12:00:60",
            "2023-09-14T12:00:00.",
            "2023-09-14 12:00 PM",
            "20230914",
            "2023-09-14X12:00",
            "2023-09-14T12:00+25:00",
            "2023-09-1\u{e9}",
            "４０２３-０９-１４",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn every_day_of_eight_centuries_reads_back() {
        for day in -146_097..146_097 {
            let text = format(day * DAY);
            assert_eq!(text.as_deref().and_then(ms), Some(day * DAY), "{text:?}");
        }
    }
}
