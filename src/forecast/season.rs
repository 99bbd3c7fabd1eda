//! How long a season of a table is.

use forge_data::{Frequency, SeriesTable, TimeUnit};

/// Steps of a season, by the frequency: bars of a day, five business days, seven days, 52 weeks,
/// twelve months; absent where there is no usual one, and of steps that are only numbered.
#[must_use]
pub fn season(table: &SeriesTable) -> Option<usize> {
    const DAY: i64 = 86_400_000;
    if table.schema().time_unit() == Some(TimeUnit::Steps) {
        return None;
    }
    match table.schema().frequency() {
        Frequency::Business => Some(5),
        Frequency::Every(step) if step == DAY => Some(7),
        Frequency::Every(step) if step == 7 * DAY => Some(52),
        Frequency::Every(step) if step < DAY && DAY % step == 0 => usize::try_from(DAY / step).ok(),
        Frequency::Months(months) if 12 % months == 0 => Some(12 / months as usize),
        Frequency::Sessions(_) if table.n_rows() > 0 => {
            let bars = table.calendar(0, 0).bars_of_day as usize;
            (bars > 1).then_some(bars)
        }
        _ => None,
    }
}
