//! A forecaster to be.

use burn::tensor::Device;
use forge_data::{SeriesConfig, Table, TimeSplit};
use std::sync::Arc;

use super::{Backtest, FittedForecaster, ForecastFitReport, ForecastTeacher, ForecasterConfig};
use crate::{Error, FitOptions};

/// A forecaster to be: columns, horizon, model, and how to train.
///
/// ```no_run
/// use volatilityforge::data::SeriesConfig;
/// use volatilityforge::forecast::Forecaster;
/// use volatilityforge::{DeviceName, read_table};
///
/// let (bars, _) = read_table("bars.csv", &Default::default())?;
/// let series = SeriesConfig::new("date", ["close"]).with_series("ticker");
/// let forecaster = Forecaster::new(series, 5)?;
/// let fitted = forecaster.fit(&bars, &DeviceName::Flex.open()?)?;
/// let next = fitted.predict(&bars)?;
/// println!("{:?}", next.windows[0].times);
/// # Ok::<(), volatilityforge::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Forecaster {
    pub(super) config: ForecasterConfig,
}

impl Forecaster {
    /// The defaults for these columns and steps.
    ///
    /// # Errors
    /// What [`ForecasterConfig::validate`] finds.
    pub fn new(
        series: SeriesConfig,
        horizon: impl Into<forge_data::Horizon>,
    ) -> Result<Self, Error> {
        Self::with_config(ForecasterConfig::new(series, horizon))
    }

    /// With these settings.
    ///
    /// # Errors
    /// What [`ForecasterConfig::validate`] finds.
    pub fn with_config(config: ForecasterConfig) -> Result<Self, Error> {
        config.validate()?;
        Ok(Self { config })
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &ForecasterConfig {
        &self.config
    }

    /// Learns from all of `table` but its last steps, which training is stopped by and intervals
    /// are calibrated on.
    ///
    /// # Errors
    /// Bad data (naming column, series and time), settings that do not fit them, or training that
    /// cannot go on.
    pub fn fit(&self, table: &Table, device: &Device) -> Result<FittedForecaster, Error> {
        Ok(self.fit_with(table, device, FitOptions::default())?.0)
    }

    /// [`fit`](Self::fit) with options, and how it went.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn fit_with(
        &self,
        table: &Table,
        device: &Device,
        options: FitOptions<'_>,
    ) -> Result<(FittedForecaster, ForecastFitReport), Error> {
        self.fit_by(None, table, device, options)
    }

    /// [`fit`](Self::fit) by what a trained forecaster says of the training windows, beside their
    /// targets: a student of it.
    ///
    /// # Errors
    /// As [`fit`](Self::fit); a config error for a teacher of other series, targets, steps or scales, or
    /// with a longer look-back; an unsupported error for one whose objective says something else.
    pub fn distill<'a>(
        &self,
        teacher: impl Into<ForecastTeacher<'a>>,
        table: &Table,
        device: &Device,
    ) -> Result<FittedForecaster, Error> {
        Ok(self
            .distill_with(teacher, table, device, FitOptions::default())?
            .0)
    }

    /// [`distill`](Self::distill) with options, and how it went.
    ///
    /// # Errors
    /// As [`distill`](Self::distill).
    pub fn distill_with<'a>(
        &self,
        teacher: impl Into<ForecastTeacher<'a>>,
        table: &Table,
        device: &Device,
        options: FitOptions<'_>,
    ) -> Result<(FittedForecaster, ForecastFitReport), Error> {
        self.fit_by(Some(teacher.into()), table, device, options)
    }

    fn fit_by(
        &self,
        teacher: Option<ForecastTeacher<'_>>,
        table: &Table,
        device: &Device,
        options: FitOptions<'_>,
    ) -> Result<(FittedForecaster, ForecastFitReport), Error> {
        let table = Arc::new(self.config.series_of(table)?);
        let split = TimeSplit::HoldOut {
            validation: self.config.validation.clone(),
            test: forge_data::SplitPart::Steps(0),
            embargo: 0,
        };
        let folds = split.folds(&table)?;
        self.fit_fold(&table, &folds[0], device, options, teacher)
    }

    /// Fits and measures in each round of `split`: what is known at each time forecasts what comes
    /// after it, never the other way round.
    ///
    /// # Errors
    /// As [`fit`](Self::fit); a config error for a split without a test part.
    pub fn backtest(
        &self,
        table: &Table,
        split: &TimeSplit,
        device: &Device,
    ) -> Result<Backtest, Error> {
        self.backtest_with(table, split, device, |_| FitOptions::default())
    }

    /// [`backtest`](Self::backtest) with the options of each round, counted from 0: a long walk
    /// that was stopped goes on where each round has checkpoints of its own.
    ///
    /// # Errors
    /// As [`backtest`](Self::backtest).
    pub fn backtest_with<'a>(
        &self,
        table: &Table,
        split: &TimeSplit,
        device: &Device,
        options: impl FnMut(usize) -> FitOptions<'a>,
    ) -> Result<Backtest, Error> {
        let table = Arc::new(self.config.series_of(table)?);
        Backtest::walk(self, &table, split, device, options)
    }
}
