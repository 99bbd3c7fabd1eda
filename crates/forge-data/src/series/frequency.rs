//! How far the steps of a series lie apart.

use std::fmt::{self, Display};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::DataError;
use crate::schema::date_time::DAY;

/// How far the steps of a series lie apart.
///
/// As text, also in TOML and JSON: a count and a unit of `ms`, `s`, `min`, `h`, `d`, `w`, `mo`
/// (`5min`, `1h`, `1d`, `3mo`), `business`, `sessions/5min` and `irregular`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Frequency {
    /// Always the same number of milliseconds, at least 1. Whole days are days of the series' own
    /// clock, whatever daylight saving does to their length.
    Every(i64),
    /// Days on the weekdays that the series have, but for those on which none has a row
    /// (holidays).
    Business,
    /// Every so many months, at least 1.
    Months(u32),
    /// Bars of so many milliseconds within an exchange's sessions: at the times of day that the
    /// series usually have on a weekday.
    Sessions(i64),
    /// No rule. What lies ahead of the last row is not known.
    Irregular,
}

const UNITS: [(&str, i64); 6] = [
    ("w", 7 * DAY),
    ("d", DAY),
    ("h", 3_600_000),
    ("min", 60_000),
    ("s", 1000),
    ("ms", 1),
];

fn duration(milliseconds: i64) -> String {
    let unit = UNITS
        .iter()
        .skip(1)
        .find(|(_, size)| milliseconds % size == 0);
    let (name, size) = unit.copied().unwrap_or(("ms", 1));
    format!("{}{name}", milliseconds / size)
}

fn parse_duration(text: &str) -> Option<i64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = text.split_at(digits);
    let size = UNITS.iter().find(|(name, _)| *name == unit)?.1;
    let count = if count.is_empty() {
        1
    } else {
        count.parse::<i64>().ok()?
    };
    let longest = 36_525 * DAY;
    count
        .checked_mul(size)
        .filter(|span| (1..=longest).contains(span))
}

impl Frequency {
    /// # Errors
    /// A config error if a step is not at least 1.
    pub(super) fn validate(self) -> Result<(), DataError> {
        match self {
            Self::Every(0 | i64::MIN..0) | Self::Months(0) | Self::Sessions(0 | i64::MIN..0) => {
                Err(DataError::config(
                    "frequency has a step of 0 or less: allowed from 1 millisecond, or 1 month",
                ))
            }
            _ => Ok(()),
        }
    }

    /// Whether steps are shorter than a day, so that a day has several bars.
    #[must_use]
    pub fn is_intraday(self) -> bool {
        matches!(self, Self::Every(step) | Self::Sessions(step) if step < DAY)
    }
}

impl Display for Frequency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every(step) => f.pad(&duration(*step)),
            Self::Business => f.pad("business"),
            Self::Months(count) => f.pad(&format!("{count}mo")),
            Self::Sessions(step) => f.pad(&format!("sessions/{}", duration(*step))),
            Self::Irregular => f.pad("irregular"),
        }
    }
}

impl FromStr for Frequency {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        let months = |text: &str| match text.strip_suffix("mo")? {
            "" => Some(1),
            count => count.parse::<u32>().ok().filter(|n| (1..=1200).contains(n)),
        };
        let found = match text {
            "business" => Some(Self::Business),
            "irregular" => Some(Self::Irregular),
            _ => match text.strip_prefix("sessions/") {
                Some(step) => parse_duration(step)
                    .filter(|step| *step < DAY)
                    .map(Self::Sessions),
                None => months(text)
                    .map(Self::Months)
                    .or_else(|| parse_duration(text).map(Self::Every)),
            },
        };
        found.ok_or_else(|| {
            DataError::config(format!(
                "frequency '{text}' is not known: allowed are a count and a unit (ms, s, min, h, \
                 d, w, mo) such as 5min, 1h, 1d, 1mo, up to 100 years; business; sessions/STEP \
                 such as sessions/5min, below a day; and irregular"
            ))
        })
    }
}

impl TryFrom<String> for Frequency {
    type Error = DataError;

    fn try_from(text: String) -> Result<Self, DataError> {
        text.parse()
    }
}

impl From<Frequency> for String {
    fn from(frequency: Frequency) -> Self {
        frequency.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::Frequency;

    #[test]
    fn text_goes_both_ways() {
        for (text, frequency) in [
            ("5min", Frequency::Every(300_000)),
            ("1h", Frequency::Every(3_600_000)),
            ("1d", Frequency::Every(86_400_000)),
            ("7d", Frequency::Every(604_800_000)),
            ("250ms", Frequency::Every(250)),
            ("3mo", Frequency::Months(3)),
            ("business", Frequency::Business),
            ("sessions/1min", Frequency::Sessions(60_000)),
            ("irregular", Frequency::Irregular),
        ] {
            assert_eq!(text.parse::<Frequency>().ok(), Some(frequency), "{text}");
            assert_eq!(frequency.to_string(), text);
        }
        assert_eq!(
            "w".parse::<Frequency>().ok(),
            Some(Frequency::Every(604_800_000))
        );
        for text in [
            "",
            "0h",
            "-1h",
            "5 min",
            "sessions/1d",
            "0mo",
            "1y",
            "99999999999d",
        ] {
            assert!(text.parse::<Frequency>().is_err(), "{text}");
        }
    }
}
