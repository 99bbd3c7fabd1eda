//! What a forecasting network must beat: repeating what was there, and regressions on lags.
//!
//! | name | forecast |
//! |---|---|
//! | `naive` | the last value |
//! | `seasonal_naive` | the value one season before (the last one where none is known); left out where no series is longer than a season |
//! | `drift` | the last value, and per step the mean change of training |
//! | `ridge` | a linear map from the look-back to each step, shared by series and targets |
//! | `har`, `log_har` | for variances: a line through the last value and the means of 5 and 22, of the values or their logarithms |
//! | `garch` | for variances where a column of returns or prices is there: GJR-GARCH(1, 1) |
//! | `boosting` | gradient-boosted trees on the look-back, for each step |
//!
//! Their intervals are the quantiles of their errors on the validation windows, per step: of a target
//! as it is, errors as a part of the mean change of its series in training; of one under a logarithm,
//! or of prices taken as returns, errors of logarithms.

mod errors;
mod garch;
mod har;
mod lags;
mod repeat;
mod score;

pub use garch::{Garch, Returns};
pub use har::Har;
pub use lags::LagRegression;
pub use repeat::{Drift, Naive, SeasonalNaive};
pub use score::score;

pub use super::season::season;

use forge_data::{SeriesTable, TimeRange, Windows, last_present};

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

/// The last value at or before a row that was observed; NaN where there is none.
fn last(values: &[f64], row: usize) -> f64 {
    last_present(values, row).unwrap_or(f64::NAN)
}

/// All of them, for series like these.
#[must_use]
pub fn all(table: &SeriesTable) -> Vec<Box<dyn SeriesBaseline>> {
    let mut all: Vec<Box<dyn SeriesBaseline>> = vec![Box::new(Naive)];
    // With less than a season behind it this is `naive` by another name.
    let longest = (0..table.n_series()).map(|series| table.times(series).len());
    let longest = longest.max().unwrap_or(0);
    if let Some(season) = season(table).filter(|season| longest > *season) {
        all.push(Box::new(SeasonalNaive { season }));
    }
    all.push(Box::new(Drift::default()));
    if is_variance(table) {
        all.push(Box::new(Har::level()));
        all.push(Box::new(Har::log()));
        all.extend(returns(table).map(|of| Box::new(Garch::new(of)) as Box<dyn SeriesBaseline>));
    }
    all.push(Box::new(LagRegression::ridge()));
    all.push(Box::new(LagRegression::boosting()));
    all
}

/// The first past column that is called returns, or close.
fn returns(table: &SeriesTable) -> Option<Returns> {
    let past = &table.schema().config.past;
    let named = |names: &[&str]| {
        let is = |column: &&String| names.contains(&column.to_lowercase().as_str());
        past.iter().find(is).cloned()
    };
    let of = named(&["return", "returns", "log_return", "open_to_close"]);
    let prices = || named(&["close", "adj_close", "price"]);
    of.map(Returns::Column)
        .or_else(|| prices().map(Returns::Prices))
}

/// Whether all targets are above 0 and said to be variances by their name.
fn is_variance(table: &SeriesTable) -> bool {
    let names = &table.schema().config.targets;
    let is_named = |name: &String| {
        let name = name.to_lowercase();
        name.contains("variance")
            || name == "rv"
            || name.starts_with("rv5")
            || name.contains("realized")
    };
    let positive = |name: &String| {
        (0..table.n_series()).all(|series| {
            let values = table.column(series, name);
            values.is_ok_and(|values| values.iter().all(|v| v.is_nan() || *v > 0.0))
        })
    };
    names.iter().all(|name| is_named(name) && positive(name))
}
