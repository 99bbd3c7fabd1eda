//! Numbers from tables.

use burn::tensor::Device;
use forge_data::{Split, Table};

use super::{EstimatorConfig, FitOptions, FitReport, FittedRegressor, TabularEstimator, Task};
use crate::Error;

/// A regressor to be: target columns and how to learn them.
///
/// ```no_run
/// use volatilityforge::{DeviceName, TabularRegressor, read_table};
///
/// let (houses, _) = read_table("houses.csv", &Default::default())?;
/// let device = DeviceName::Flex.open()?;
/// let model = TabularRegressor::new("price").fit(&houses, &device)?;
/// model.save("model.safetensors")?;
/// # Ok::<(), volatilityforge::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct TabularRegressor(TabularEstimator);

impl TabularRegressor {
    /// An FT-Transformer of balanced size that learns `target` from all other columns, trained as
    /// long as the table's length asks for.
    #[must_use]
    pub fn new(target: &str) -> Self {
        Self::targets([target])
    }

    /// The same for several targets, one output each.
    #[must_use]
    pub fn targets<S: Into<String>>(targets: impl IntoIterator<Item = S>) -> Self {
        Self(TabularEstimator::targets(targets).task(Some(Task::Regression)))
    }

    /// With these settings; objectives are `regression`, `quantiles` and `distribution`.
    ///
    /// # Errors
    /// What [`EstimatorConfig::validate`] finds.
    pub fn with_config(self, config: EstimatorConfig) -> Result<Self, Error> {
        self.0.with_config(config).map(Self)
    }

    /// Columns that are not features.
    #[must_use]
    pub fn ignore<S: Into<String>>(self, columns: impl IntoIterator<Item = S>) -> Self {
        Self(self.0.ignore(columns))
    }

    /// A column of sample weights, at least 0: what each row counts in training.
    #[must_use]
    pub fn weights(self, column: &str) -> Self {
        Self(self.0.weights(column))
    }

    /// Trains on all rows of `table`, a random part of them held out for early stopping.
    ///
    /// # Errors
    /// Bad data (naming row and column), a config that does not fit the table, or training that
    /// cannot go on.
    pub fn fit(&self, table: &Table, device: &Device) -> Result<FittedRegressor, Error> {
        self.0.fit(table, device)?.into_regressor()
    }

    /// Trains on `split.train`, stops early by `split.validation`, and never looks at
    /// `split.test`.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn fit_split(
        &self,
        table: &Table,
        split: &Split,
        device: &Device,
        options: FitOptions,
    ) -> Result<(FittedRegressor, FitReport), Error> {
        let (fitted, report) = self.0.fit_split(table, split, device, options)?;
        Ok((fitted.into_regressor()?, report))
    }
}
