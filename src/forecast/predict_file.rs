//! From a file of series to a file of forecasts.

use std::fmt::{self, Display};
use std::path::Path;
use std::sync::Arc;

use forge_data::{ReadOptions, ReadReport, SeriesReport, read_table};

use super::FittedForecaster;
use crate::Error;

/// How a file of series is read to forecast from.
#[derive(Debug, Clone, PartialEq)]
pub struct ForecastFileConfig {
    /// How it is read. [`ForecastFileConfig::of`] takes what the forecaster was trained with.
    pub read: ReadOptions,
}

impl ForecastFileConfig {
    /// As the forecaster's training file was read.
    #[must_use]
    pub fn of(fitted: &FittedForecaster) -> Self {
        Self {
            read: fitted.read_options().clone(),
        }
    }
}

/// What forecasting from a file did, for people to read.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ForecastAccount {
    /// The columns that were forecast.
    pub targets: Vec<String>,
    /// The model's name.
    pub model: String,
    /// Series that were forecast.
    pub series: usize,
    /// Steps ahead.
    pub steps: Vec<usize>,
    /// What reading the file did.
    pub read: ReadReport,
    /// What was found in its series, and repaired.
    pub found: SeriesReport,
}

impl Display for ForecastAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.read)?;
        writeln!(f, "{}", self.found)?;
        let (steps, series) = (self.steps.len(), self.series);
        write!(
            f,
            "forecasts of {} by {}: {steps} step{} ahead of the last row of {}",
            self.targets.join(", "),
            self.model,
            if steps == 1 { "" } else { "s" },
            if series == 1 {
                "the series".into()
            } else {
                format!("each of {series} series")
            },
        )
    }
}

impl FittedForecaster {
    /// Forecasts what comes after the last row of each series in the file `data`, and writes it to the
    /// file `to`, one row per series and step as [`Forecasts::to_table`](super::Forecasts::to_table)
    /// has them. The ending says whether CSV or Parquet is written.
    ///
    /// # Errors
    /// Those of [`read_table`], [`predict`](Self::predict), which name the file too, and of
    /// [`Table::write`](forge_data::Table::write).
    ///
    /// ```no_run
    /// use volatilityforge::DeviceName;
    /// use volatilityforge::forecast::{FittedForecaster, ForecastFileConfig};
    ///
    /// let model = FittedForecaster::load("model.safetensors", &DeviceName::Flex.open()?)?;
    /// let config = ForecastFileConfig::of(&model);
    /// println!("{}", model.predict_file("bars.csv", "next.csv", &config)?);
    /// # Ok::<(), volatilityforge::Error>(())
    /// ```
    pub fn predict_file(
        &self,
        data: impl AsRef<Path>,
        to: impl AsRef<Path>,
        config: &ForecastFileConfig,
    ) -> Result<ForecastAccount, Error> {
        let data = data.as_ref();
        let (table, read) = read_table(data, &config.read)?;
        let in_file = |error: Error| error.in_file(data);
        let series = Arc::new(self.series_of(&table).map_err(in_file)?);
        let forecasts = self.predict_series(&series).map_err(in_file)?;
        forecasts.to_table()?.write(to)?;
        Ok(ForecastAccount {
            targets: forecasts.targets,
            model: self.model().name().into(),
            series: forecasts.windows.len(),
            steps: forecasts.steps,
            read,
            found: series.report().clone(),
        })
    }
}
