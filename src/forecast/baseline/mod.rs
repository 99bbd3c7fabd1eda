//! What a forecasting network must beat: repeating what was there, and regressions on lags.
//!
//! | name | forecast |
//! |---|---|
//! | `naive` | the last value |
//! | `seasonal_naive` | the value one season before |
//! | `drift` | the last value, and per step the mean change of training |
//! | `ridge` | a linear map from the look-back to each step, shared by series and targets |
//! | `boosting` | gradient-boosted trees on the look-back, for each step |
//!
//! Their intervals are the quantiles of their errors on the validation windows, per step, each error
//! divided by the mean change of its series in training: wide for series that move much.

mod errors;
mod lags;
mod repeat;
mod score;

pub use lags::LagRegression;
pub use repeat::{Drift, Naive, SeasonalNaive};
pub use score::score;

use forge_data::{Frequency, SeriesTable, TimeRange, Windows};

use crate::Error;

/// Forecasts without a network.
pub trait SeriesBaseline {
    /// Its name in the leaderboard.
    fn name(&self) -> &'static str;

    /// Learns from training windows and the training steps of their table, if it learns at all.
    ///
    /// # Errors
    /// If the data cannot be fitted.
    fn fit(&mut self, train: &Windows, training: &TimeRange) -> Result<(), Error>;

    /// The values of some windows, `[B x H x N]`, in the targets' own units.
    ///
    /// # Errors
    /// If a window cannot be read.
    fn forecast(&self, windows: &Windows, rows: &[usize]) -> Result<Vec<f64>, Error>;
}

/// All of them, for series like these.
#[must_use]
pub fn all(table: &SeriesTable) -> Vec<Box<dyn SeriesBaseline>> {
    let mut all: Vec<Box<dyn SeriesBaseline>> = vec![Box::new(Naive)];
    if let Some(season) = season(table) {
        all.push(Box::new(SeasonalNaive { season }));
    }
    all.push(Box::new(Drift::default()));
    all.push(Box::new(LagRegression::ridge()));
    all.push(Box::new(LagRegression::boosting()));
    all
}

/// Steps of a season, by the frequency: bars of a day, five business days, seven days, 52 weeks,
/// twelve months; absent where there is no usual one.
#[must_use]
pub fn season(table: &SeriesTable) -> Option<usize> {
    const DAY: i64 = 86_400_000;
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
