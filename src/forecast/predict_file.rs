//! From a file of series to a file of forecasts.

use std::fmt::{self, Display};
use std::path::Path;
use std::sync::Arc;

use forge_data::{ReadOptions, ReadReport, SeriesConfig, SeriesReport, UnknownSeries, read_table};
use forge_nn::ForgeError;

use super::FittedForecaster;
use crate::Error;
use crate::prediction::refuse_itself;

/// How a file of series is read to forecast from. [`ForecastFileConfig::of`] takes what the forecaster was
/// trained with.
#[derive(Debug, Clone, PartialEq)]
pub struct ForecastFileConfig {
    /// How the file is read.
    pub read: ReadOptions,
    /// What is repaired in its series (`duplicates`, `missing`, …). The columns are those of the training.
    pub series: SeriesConfig,
    /// How a series is scaled that training did not have.
    pub unknown_series: UnknownSeries,
}

impl ForecastFileConfig {
    /// As the forecaster's training file was read.
    #[must_use]
    pub fn of(fitted: &FittedForecaster) -> Self {
        Self {
            read: fitted.read_options().clone(),
            series: fitted.schema().config.clone(),
            unknown_series: fitted.scaler().config().unknown_series,
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
    /// A config error for other columns than the training's; those of [`read_table`] and
    /// [`predict`](Self::predict), which name the file too, and of [`Table::write`](forge_data::Table::write).
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
        refuse_itself(data, to.as_ref())?;
        let repairing = self.repairing(config)?;
        let (table, read) = read_table(data, &config.read)?;
        let in_file = |error: Error| error.in_file(data);
        let series = Arc::new(repairing.series_of(&table).map_err(in_file)?);
        let forecasts = repairing.predict_series(&series).map_err(in_file)?;
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

    /// This forecaster, with the config's word on faults in series.
    fn repairing(&self, config: &ForecastFileConfig) -> Result<Self, ForgeError> {
        let trained = &self.schema.config;
        let with_its_repairs = SeriesConfig {
            unsorted: config.series.unsorted,
            duplicates: config.series.duplicates,
            ambiguous: config.series.ambiguous,
            gaps: config.series.gaps,
            missing: config.series.missing,
            frequency_change: config.series.frequency_change,
            ..trained.clone()
        };
        if with_its_repairs != config.series {
            let allowed = "the columns and times of the training: only unsorted, duplicates, ambiguous, \
                           gaps, missing and frequency_change may differ";
            return Err(ForgeError::config("series", "changed", allowed));
        }
        let mut repairing = self.clone();
        repairing.schema.config = with_its_repairs;
        let scaler = (*self.scaler).clone();
        repairing.scaler = Arc::new(scaler.with_unknown_series(config.unknown_series));
        Ok(repairing)
    }
}
