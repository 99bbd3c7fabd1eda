//! Dates as people write them, besides ISO 8601: `26-Jan-2023`, `Jan 26, 2023`, `01/26/2023`; months and
//! quarters: `2023-01`, `2023Q1`.

use super::DateOrder;
use super::date_time::{Clock, DAY, Instant, days_from_civil, time_of_day};

/// A date of three numbers of which either of the first two may be the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Numbered {
    first: i64,
    second: i64,
    year: i64,
    clock: Clock,
}

impl Numbered {
    /// `26/01/2023`, `1.2.2023` or `1-2-2023`, perhaps with a time of day after it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (first, rest) = take_number(text.as_bytes(), 2)?;
        let (separator, rest) = rest.split_first()?;
        if !matches!(separator, b'/' | b'.' | b'-') {
            return None;
        }
        let (second, rest) = take_number(rest, 2)?;
        let (again, rest) = rest.split_first()?;
        if again != separator {
            return None;
        }
        let (year, rest) = rest.split_at_checked(4)?;
        let (year, _) = take_number(year, 4).filter(|(_, left)| left.is_empty())?;
        Some(Self {
            first,
            second,
            year,
            clock: clock(rest)?,
        })
    }

    /// The time, if there is such a day.
    pub(crate) fn read(self, order: DateOrder) -> Option<Instant> {
        let (day, month) = match order {
            DateOrder::DayFirst => (self.first, self.second),
            DateOrder::MonthFirst => (self.second, self.first),
        };
        let days = days_from_civil(self.year, month, day)?;
        Some(self.clock.on(days))
    }
}

/// A [date with a word](parse_named), or a [month or quarter](parse_period).
pub(crate) fn parse(text: &str) -> Option<Instant> {
    parse_named(text).or_else(|| parse_period(text))
}

/// A date whose month is an English word: `26-Jan-2023`, `26 January 2023`, `Jan 26, 2023`,
/// `Fri Sep 15 2023`, perhaps with a time of day after it.
fn parse_named(text: &str) -> Option<Instant> {
    let mut bytes = text.as_bytes();
    let mut month = None;
    if bytes.first()?.is_ascii_alphabetic() {
        let (word, rest) = take_word(bytes);
        if is_weekday(word) {
            bytes = skip_separators(rest);
        }
    }
    if bytes.first()?.is_ascii_alphabetic() {
        let (word, rest) = take_word(bytes);
        month = Some(month_of(word)?);
        bytes = skip_separators(rest);
    }
    let (day, rest) = take_number(bytes, 2)?;
    bytes = skip_separators(rest);
    if month.is_none() {
        let (word, rest) = take_word(bytes);
        month = Some(month_of(word)?);
        bytes = skip_separators(rest);
    }
    let (year, rest) = bytes.split_at_checked(4)?;
    let (year, _) = take_number(year, 4).filter(|(_, left)| left.is_empty())?;
    Some(clock(rest)?.on(days_from_civil(year, month?, day)?))
}

/// The first moment of a month or quarter: `2023-01`, `2023/01`, `2023M01`, `Jan 2023`, `January-2023`,
/// `2023 Jan`, `2023Q1`, `2023-Q1`, `Q1 2023`. The year is one of 1800 to 2199: `5012-07` is more likely a part
/// number.
fn parse_period(text: &str) -> Option<Instant> {
    let bytes = text.as_bytes();
    let year_at = bytes.windows(4).position(is_number)?;
    let (year, _) = take_number(&bytes[year_at..], 4)?;
    let (before, after) = (&bytes[..year_at], &bytes[year_at + 4..]);
    let separated = |b: &u8| matches!(b, b' ' | b'-' | b'/');
    let month = match (before, after) {
        ([], [b'-' | b'/' | b'M', month @ ..]) if month.len() == 2 && is_number(month) => {
            take_number(month, 2)?.0
        }
        ([], [separator, period @ ..]) if separated(separator) => start_of(period)?,
        ([], period) => quarter_start(period)?,
        ([period @ .., separator], []) if separated(separator) => start_of(period)?,
        _ => return None,
    };
    let days = days_from_civil(year, month, 1)?;
    (1800..=2199)
        .contains(&year)
        .then(|| Clock::default().on(days))
}

fn is_number(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_digit)
}

/// The first month of a quarter, or the month of a word.
fn start_of(period: &[u8]) -> Option<i64> {
    quarter_start(period).or_else(|| month_of(period))
}

/// `Q1` to `Q4`.
fn quarter_start(period: &[u8]) -> Option<i64> {
    match period {
        [b'Q' | b'q', n @ b'1'..=b'4'] => Some(i64::from(n - b'1') * 3 + 1),
        _ => None,
    }
}

/// Whether a text looks like a date that is not read: a year of two digits, or a month in a word
/// that is not English.
pub(crate) fn is_unread(text: &str) -> bool {
    two_digit_year(text) || foreign_month(text)
}

/// `26/01/23`, `26-Jan-23`.
pub(crate) fn two_digit_year(text: &str) -> bool {
    let date = text.split([' ', 'T']).next().unwrap_or_default();
    let mut parts = date.split(['/', '.', '-']);
    let (Some(first), Some(second), Some(third), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let short =
        |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let value = |part: &str| part.parse::<u32>().unwrap_or(99);
    if !short(first) || third.len() != 2 || !short(third) {
        return false;
    }
    if month_of(second.as_bytes()).is_some() {
        return value(first) <= 31;
    }
    short(second) && {
        let (a, b) = (value(first), value(second));
        (1..=31).contains(&a) && (1..=31).contains(&b) && (a <= 12 || b <= 12)
    }
}

/// `26 gennaio 2023`: a day, a word and a year.
fn foreign_month(text: &str) -> bool {
    let mut parts = text
        .split([' ', '-', '.', '/'])
        .filter(|part| !part.is_empty());
    let (Some(day), Some(month), Some(year)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let day = day.len() <= 2 && day.parse::<u32>().is_ok_and(|day| (1..=31).contains(&day));
    let year = year.len() == 4 && year.parse::<u32>().is_ok_and(|y| (1000..3000).contains(&y));
    day && year
        && (3..=12).contains(&month.chars().count())
        && month.chars().all(char::is_alphabetic)
}

/// The rest after a date: nothing, or a space or `T` and a time of day, perhaps with AM or PM.
fn clock(rest: &[u8]) -> Option<Clock> {
    let time = match rest {
        [] => return Some(Clock::default()),
        [b' ' | b'T', time @ ..] => time,
        [b',', b' ', time @ ..] => time,
        _ => return None,
    };
    let (time, half) = match time {
        [time @ .., a, b'm' | b'M'] if matches!(a, b'a' | b'A' | b'p' | b'P') => {
            (time.trim_ascii_end(), Some(a.to_ascii_lowercase()))
        }
        _ => (time, None),
    };
    let mut padded = [b'0'; 40];
    let from = usize::from(time.get(1) == Some(&b':'));
    padded
        .get_mut(from..from + time.len())?
        .copy_from_slice(time);
    let clock = time_of_day(&padded[..from + time.len()])?;
    let hours = clock.local / 3_600_000;
    let noon = DAY / 2;
    let shift = match half {
        None => 0,
        Some(_) if !(1..=12).contains(&hours) => return None,
        Some(b'a') if hours == 12 => -noon,
        Some(b'p') if hours < 12 => noon,
        Some(_) => 0,
    };
    Some(Clock {
        local: clock.local + shift,
        ..clock
    })
}

/// Up to `most` digits, at least one.
fn take_number(bytes: &[u8], most: usize) -> Option<(i64, &[u8])> {
    let count = bytes
        .iter()
        .take(most)
        .take_while(|b| b.is_ascii_digit())
        .count();
    let (digits, rest) = bytes.split_at_checked(count)?;
    if digits.is_empty() || rest.first().is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let value = digits.iter().fold(0, |n, b| n * 10 + i64::from(b - b'0'));
    Some((value, rest))
}

fn take_word(bytes: &[u8]) -> (&[u8], &[u8]) {
    let count = bytes.iter().take_while(|b| b.is_ascii_alphabetic()).count();
    bytes.split_at(count)
}

fn skip_separators(bytes: &[u8]) -> &[u8] {
    let count = bytes
        .iter()
        .take(2)
        .take_while(|b| matches!(b, b' ' | b',' | b'.' | b'-' | b'/'))
        .count();
    &bytes[count..]
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const WEEKDAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// The month, from 1, of a name or its first three letters; `sept` also.
fn month_of(word: &[u8]) -> Option<i64> {
    if word.eq_ignore_ascii_case(b"sept") {
        return Some(9);
    }
    let found = MONTHS.iter().position(|name| names(name, word));
    found.and_then(|i| i64::try_from(i + 1).ok())
}

fn is_weekday(word: &[u8]) -> bool {
    WEEKDAYS.iter().any(|name| names(name, word))
}

fn names(name: &str, word: &[u8]) -> bool {
    word.eq_ignore_ascii_case(name.as_bytes()) || word.eq_ignore_ascii_case(&name.as_bytes()[..3])
}

#[cfg(test)]
mod tests {
    use super::{DateOrder, Numbered, is_unread, parse_named, parse_period};

    #[test]
    fn months_and_quarters_are_read_as_their_first_day() {
        let found = |text| parse_period(text).map(|i| i.milliseconds);
        // Seconds from `date -u -d ... +%s`.
        for text in [
            "2023-07",
            "2023/07",
            "2023M07",
            "Jul 2023",
            "July-2023",
            "2023 jul",
            "2023-July",
            "2023Q3",
            "2023-Q3",
            "2023 q3",
            "Q3 2023",
            "Q3/2023",
        ] {
            assert_eq!(found(text), Some(1_688_169_600_000), "{text}");
        }
        assert_eq!(found("2023-12"), Some(1_701_388_800_000));
        assert_eq!(found("1959-Q1"), Some(-347_155_200_000));
        for text in [
            "2023-13",
            "2023-00",
            "2023-7",
            "2023",
            "202307",
            "2023Q5",
            "2023Q",
            "Q3",
            "Q32023",
            "5012-07",
            "12023-07",
            "2023-071",
            "2023-07-",
            "July",
            "Julia 2023",
            "2023--07",
            "",
            "2023 07",
            "\u{e9}2023",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn named_months_are_read() {
        // Seconds from `date -u -d ... +%s`.
        for text in [
            "14-Sep-2023",
            "14 September 2023",
            "14-SEP-2023",
            "Sep 14, 2023",
            "September 14 2023",
            "Thu Sep 14 2023",
            "Thu, 14 Sep 2023",
            "14 Sept. 2023",
        ] {
            let found = parse_named(text).map(|i| i.milliseconds);
            assert_eq!(found, Some(1_694_649_600_000), "{text}");
        }
        for (text, expected) in [
            ("14-Sep-2023 16:15", 1_694_708_100_000),
            ("Sep 14, 2023 4:15 PM", 1_694_708_100_000),
            ("Sep 14, 2023, 4:15:00 pm", 1_694_708_100_000),
            ("14 Sep 2023 12:05 AM", 1_694_649_900_000),
        ] {
            assert_eq!(
                parse_named(text).map(|i| i.milliseconds),
                Some(expected),
                "{text}"
            );
        }
        for text in [
            "31-Feb-2023",
            "14-Sap-2023",
            "Sep 2023",
            "14-Sep-23",
            "Mayor 3 2023",
            "may",
            "14-Sep-2023 13:00 PM",
        ] {
            assert_eq!(parse_named(text), None, "{text}");
        }
    }

    #[test]
    fn the_order_decides_numbered_dates() {
        let read = |text: &str, order| {
            Numbered::parse(text)
                .and_then(|date| date.read(order))
                .map(|i| i.milliseconds)
        };
        // 2023-04-03 and 2023-03-04.
        assert_eq!(
            read("3/4/2023", DateOrder::DayFirst),
            Some(1_680_480_000_000)
        );
        assert_eq!(
            read("03/04/2023", DateOrder::MonthFirst),
            Some(1_677_888_000_000)
        );
        assert_eq!(
            read("26.01.2023", DateOrder::DayFirst),
            Some(1_674_691_200_000)
        );
        assert_eq!(read("26.01.2023", DateOrder::MonthFirst), None);
        assert_eq!(
            read("26-01-2023 01:00", DateOrder::DayFirst),
            Some(1_674_694_800_000)
        );
        for text in [
            "26/01-2023",
            "26/01/23",
            "126/01/2023",
            "26/01/20230",
            "1/2",
        ] {
            assert_eq!(Numbered::parse(text), None, "{text}");
        }
    }

    #[test]
    fn dates_that_are_not_read_are_noticed() {
        for text in ["26/01/23", "26-Jan-23", "26 gennaio 2023", "3. Mai 2023"] {
            assert!(is_unread(text), "{text}");
        }
        for text in ["XYZ58P", "12-34", "1.2.3", "99/99/99", "a b 2023", "20-29"] {
            assert!(!is_unread(text), "{text}");
        }
    }
}
