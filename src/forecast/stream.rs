//! One bar after the other.

use std::sync::Arc;

use forge_data::{Appended, SeriesBars, SeriesRow, SeriesTable, Windows};

use super::bands::Bands;
use super::{FittedForecaster, WindowForecast};
use crate::Error;

/// A fitted forecaster and series that grow: a row comes, the next forecast goes.
///
/// A forecast is that of [`FittedForecaster::predict`] on a table with the same rows.
#[derive(Debug, Clone)]
pub struct ForecastStream<'a> {
    forecaster: &'a FittedForecaster,
    table: Arc<SeriesTable>,
    /// How far the features of each series have come, where the model makes some.
    bars: Option<SeriesBars>,
    bands: Bands<'a>,
}

impl<'a> ForecastStream<'a> {
    pub(super) fn new(
        forecaster: &'a FittedForecaster,
        table: SeriesTable,
        bars: Option<SeriesBars>,
    ) -> Self {
        Self {
            forecaster,
            table: Arc::new(table),
            bars,
            bands: forecaster.bands(),
        }
    }

    /// Adds a row to the end of its series: raw values, of which features are made where the model
    /// has some.
    ///
    /// # Errors
    /// A data error naming series and time for an unknown series or column, a time that does not
    /// follow, or a bar that no feature can be made of. Nothing is added then.
    pub fn append(&mut self, row: &SeriesRow) -> Result<Appended, Error> {
        let table = Arc::make_mut(&mut self.table);
        Ok(match (&self.forecaster.features, &mut self.bars) {
            (Some(features), Some(bars)) => features.append(bars, table, row)?,
            _ => table.append(row)?,
        })
    }

    /// What comes next in a series. Bands that follow what happens learn from the forecasts that were
    /// asked for here, each step once it has happened: asked for at every row, they are those of
    /// [`FittedForecaster::forecast`].
    ///
    /// # Errors
    /// As [`FittedForecaster::predict`].
    pub fn forecast(&mut self, series: &str) -> Result<WindowForecast, Error> {
        let of = self.forecaster;
        let windows = Windows::latest(&self.table, &of.windows)?.of_series(&[series])?;
        let windows = windows.with_scaler(&of.scaler)?;
        let rows: Vec<usize> = (0..windows.len()).collect();
        let forecasts = of.forecast_some(&windows, &rows, &mut self.bands)?;
        let none = || forge_nn::ForgeError::training("there is no window of the series");
        Ok(forecasts.into_iter().next().ok_or_else(none)?)
    }

    /// The series as they are.
    #[must_use]
    pub fn table(&self) -> &SeriesTable {
        &self.table
    }
}
