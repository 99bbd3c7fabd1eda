//! Clocks of the world, from the IANA database that `chrono-tz` carries.

use chrono::{DateTime, LocalResult, Offset, TimeZone};
use chrono_tz::Tz;

use crate::DataError;

const MINUTE: i64 = 60_000;

/// A zone of the IANA database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Zone(Tz);

/// What a time on a wall clock may be: milliseconds UTC, and minutes ahead of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wall {
    Once((i64, i16)),
    /// Daylight saving ends: the earlier and the later.
    Twice((i64, i16), (i64, i16)),
    /// Daylight saving begins: the clock jumps over it.
    Never,
}

impl Zone {
    pub(super) fn named(name: &str) -> Result<Self, DataError> {
        name.parse().map(Self).map_err(|_| {
            DataError::config(format!(
                "time_zone '{name}' is not known: allowed are names of the IANA database such as \
                 America/New_York, Europe/Berlin or UTC"
            ))
        })
    }

    /// Minutes that the zone is ahead of UTC at a time; 0 beyond chrono's years.
    pub(super) fn offset_at(self, utc: i64) -> i16 {
        let Some(time) = DateTime::from_timestamp_millis(utc) else {
            return 0;
        };
        minutes(&self.0.offset_from_utc_datetime(&time.naive_utc()))
    }

    /// What a wall clock there means that shows `local` (milliseconds since 1970-01-01 there).
    pub(super) fn wall(self, local: i64) -> Wall {
        let Some(time) = DateTime::from_timestamp_millis(local) else {
            return Wall::Never;
        };
        let at = |offset: &<Tz as TimeZone>::Offset| {
            let ahead = minutes(offset);
            (local - i64::from(ahead) * MINUTE, ahead)
        };
        match self.0.offset_from_local_datetime(&time.naive_utc()) {
            LocalResult::Single(offset) => Wall::Once(at(&offset)),
            LocalResult::Ambiguous(a, b) => {
                let (a, b) = (at(&a), at(&b));
                Wall::Twice(a.min(b), a.max(b))
            }
            LocalResult::None => Wall::Never,
        }
    }
}

/// Whole minutes: local mean times of the nineteenth century had seconds.
fn minutes(offset: &impl Offset) -> i16 {
    i16::try_from(offset.fix().local_minus_utc() / 60).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Wall, Zone};

    #[test]
    fn new_york_changes_its_clock() {
        let Ok(zone) = Zone::named("America/New_York") else {
            panic!("the zone is known");
        };
        // Seconds from `TZ=America/New_York date -d ... +%s`: 2023-11-05 01:30 is passed twice.
        let half_past_one = 1_699_147_800_000;
        assert_eq!(
            zone.wall(half_past_one),
            Wall::Twice((1_699_162_200_000, -240), (1_699_165_800_000, -300))
        );
        // 2023-03-12 02:30 is never shown.
        assert_eq!(zone.wall(1_678_588_200_000), Wall::Never);
        assert_eq!(zone.offset_at(1_699_165_800_000), -300);
        assert!(Zone::named("New York").is_err());
    }
}
