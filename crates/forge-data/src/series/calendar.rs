//! Where a step lies in its day, week, month and year.

use crate::schema::date_time::{DAY, civil_from_days, days_from_civil};

/// Where a step lies in its day, week, month and year, on its series' own clock, by the proleptic
/// Gregorian calendar.
///
/// The first six are, in this order, what `forge_nn::position::CalendarEncoding` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CalendarFields {
    /// `0..86_400`.
    pub second_of_day: u32,
    /// `0..7`, Monday is 0.
    pub day_of_week: u32,
    /// `0..days_in_month`, the first is 0.
    pub day_of_month: u32,
    /// 28 to 31.
    pub days_in_month: u32,
    /// `0..days_in_year`, January 1st is 0.
    pub day_of_year: u32,
    /// 365 or 366.
    pub days_in_year: u32,
    /// `0..bars_of_day`; 0 for steps of a day or more.
    pub bar_of_day: u32,
    /// Bars of a usual such day, 1 for steps of a day or more. 288 for 5 minutes round the clock.
    pub bars_of_day: u32,
}

impl CalendarFields {
    /// Fields of a step in a batch's calendar.
    pub const COUNT: usize = 8;

    /// Of milliseconds since 1970-01-01 on the series' own clock, and the bar's place in its day.
    pub(super) fn new(local: i64, (bar_of_day, bars_of_day): (u32, u32)) -> Self {
        let day = local.div_euclid(DAY);
        let (year, month, of_month) = civil_from_days(day);
        let first = |year, month| days_from_civil(year, month, 1).unwrap_or(day);
        let (month_start, year_start) = (first(year, month), first(year, 1));
        let month_end = if month == 12 {
            first(year + 1, 1)
        } else {
            first(year, month + 1)
        };
        Self {
            second_of_day: (local.rem_euclid(DAY) / 1000) as u32,
            day_of_week: (day + 3).rem_euclid(7) as u32,
            day_of_month: (of_month - 1) as u32,
            days_in_month: (month_end - month_start) as u32,
            day_of_year: (day - year_start) as u32,
            days_in_year: (first(year + 1, 1) - year_start) as u32,
            bar_of_day,
            bars_of_day,
        }
    }

    /// The fields in the order of a batch's calendar.
    #[must_use]
    pub fn to_array(self) -> [i32; Self::COUNT] {
        [
            self.second_of_day,
            self.day_of_week,
            self.day_of_month,
            self.days_in_month,
            self.day_of_year,
            self.days_in_year,
            self.bar_of_day,
            self.bars_of_day,
        ]
        .map(|field| field as i32)
    }

    /// What [`to_array`](Self::to_array) wrote, a row of a batch's calendar.
    ///
    /// # Panics
    /// If there are fewer than [`COUNT`](Self::COUNT).
    #[must_use]
    pub fn from_row(row: &[i64]) -> Self {
        let field = |at: usize| u32::try_from(row[at]).unwrap_or(0);
        Self {
            second_of_day: field(0),
            day_of_week: field(1),
            day_of_month: field(2),
            days_in_month: field(3),
            day_of_year: field(4),
            days_in_year: field(5),
            bar_of_day: field(6),
            bars_of_day: field(7),
        }
    }

    /// Time of day, weekday, day of month and day of year, each from -0.5 for the first to 0.5 for
    /// the last: the last second, Sunday, the last day of that month and of that year. As the time
    /// features of Informer (Zhou et al., AAAI 2021), which divide by 30 and 365 for every month and
    /// year and by 23 for the hour.
    #[must_use]
    pub fn centred(self) -> [f32; 4] {
        let part = |value: u32, count: u32| value as f32 / (count - 1) as f32 - 0.5;
        [
            part(self.second_of_day, 86_400),
            part(self.day_of_week, 7),
            part(self.day_of_month, self.days_in_month),
            part(self.day_of_year, self.days_in_year),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::CalendarFields;

    #[test]
    fn the_leap_day_is_the_sixtieth_of_its_year() {
        // Thursday, 29 February 2024, 15:30:01.
        let fields = CalendarFields::new(1_709_220_601_000, (3, 7));
        assert_eq!(fields.to_array(), [55_801, 3, 28, 29, 59, 366, 3, 7]);
        assert!((fields.centred()[2] - 0.5).abs() < 1e-6);
        // Wednesday, 31 December 1969.
        let fields = CalendarFields::new(-1000, (0, 1));
        assert_eq!(fields.to_array(), [86_399, 2, 30, 31, 364, 365, 0, 1]);
    }
}
