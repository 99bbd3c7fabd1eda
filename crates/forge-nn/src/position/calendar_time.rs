//! Points in time to calendar fields.

use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::ForgeError;

const DAY: i64 = 86_400;
/// Fields of a time in a tensor.
pub(super) const FIELDS: usize = 6;

/// Where a moment lies in its day, week, month and year, by the proleptic Gregorian calendar.
///
/// Whose clock it is (UTC or an exchange's local time) is the caller's choice; leap seconds do not
/// exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CalendarTime {
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
}

impl CalendarTime {
    /// The place of a Unix time.
    ///
    /// # Parameters
    /// - seconds: since 1970-01-01 00:00; add the zone's offset for local time. Negative is before.
    ///
    /// ```
    /// use forge_nn::position::CalendarTime;
    ///
    /// // Thursday, 29 February 2024, 15:30:01.
    /// let time = CalendarTime::from_unix(1_709_220_601);
    /// assert_eq!((time.day_of_week, time.day_of_month, time.days_in_month), (3, 28, 29));
    /// assert_eq!((time.second_of_day, time.day_of_year, time.days_in_year), (55_801, 59, 366));
    /// ```
    #[must_use]
    pub fn from_unix(seconds: i64) -> Self {
        Self::from_days(seconds.div_euclid(DAY), seconds.rem_euclid(DAY) as u32)
    }

    /// The place of a date and a second of its day.
    ///
    /// # Parameters
    /// - month: 1 to 12, day: from 1
    ///
    /// # Errors
    /// A config error if there is no such date or second.
    pub fn from_date(year: i32, month: u32, day: u32, second: u32) -> Result<Self, ForgeError> {
        if !(1..=12).contains(&month) {
            return Err(ForgeError::config("month", month, "in 1..=12"));
        }
        let length = month_length(i64::from(year), month);
        if !(1..=length).contains(&day) {
            return Err(ForgeError::config("day", day, format!("in 1..={length}")));
        }
        if i64::from(second) >= DAY {
            return Err(ForgeError::config("second", second, "in 0..86400"));
        }
        let year = i64::from(year);
        let before: u32 = (1..month).map(|m| month_length(year, m)).sum();
        let days = days_before_year(year) + i64::from(before + day - 1);
        Ok(Self::from_days(days, second))
    }

    /// `days` since 1970-01-01, a Thursday.
    fn from_days(days: i64, second_of_day: u32) -> Self {
        // The guess is at most one year off: 146 097 days are 400 years.
        let mut year = 1970 + (days * 400).div_euclid(146_097);
        while days_before_year(year) > days {
            year -= 1;
        }
        while days_before_year(year + 1) <= days {
            year += 1;
        }
        let day_of_year = (days - days_before_year(year)) as u32;
        let (mut month, mut day_of_month) = (1, day_of_year);
        while day_of_month >= month_length(year, month) {
            day_of_month -= month_length(year, month);
            month += 1;
        }
        Self {
            second_of_day,
            day_of_week: (days + 3).rem_euclid(7) as u32,
            day_of_month,
            days_in_month: month_length(year, month),
            day_of_year,
            days_in_year: if is_leap(year) { 366 } else { 365 },
        }
    }

    /// Times as the tensor that [`CalendarEncoding`](super::CalendarEncoding) takes.
    ///
    /// # Shapes
    /// - times: `B · T` of them, sample by sample
    /// - output: `[B, T, 6]`
    ///
    /// # Errors
    /// A shape error if there are not `batch` samples of equal length.
    pub fn to_tensor(
        times: &[Self],
        batch: usize,
        device: &Device,
    ) -> Result<Tensor<3, Int>, ForgeError> {
        if batch == 0 || !times.len().is_multiple_of(batch) {
            return Err(ForgeError::shape(
                "calendar times",
                times.len(),
                format!("a multiple of {batch} samples"),
            ));
        }
        let fields: Vec<i32> = times.iter().flat_map(|time| time.fields()).collect();
        let shape = [batch, times.len() / batch, FIELDS];
        Ok(Tensor::from_data(TensorData::new(fields, shape), device))
    }

    fn fields(&self) -> [i32; FIELDS] {
        [
            self.second_of_day,
            self.day_of_week,
            self.day_of_month,
            self.days_in_month,
            self.day_of_year,
            self.days_in_year,
        ]
        .map(|field| field as i32)
    }
}

fn is_leap(year: i64) -> bool {
    year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0)
}

fn month_length(year: i64, month: u32) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to January 1st of `year`.
fn days_before_year(year: i64) -> i64 {
    let past = year - 1;
    let leap_days = past.div_euclid(4) - past.div_euclid(100) + past.div_euclid(400);
    (year - 1970) * 365 + leap_days - 477
}
