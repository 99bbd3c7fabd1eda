//! Classes from tables.

use burn::tensor::Device;
use forge_data::{Split, Table};

use super::{EstimatorConfig, FitOptions, FitReport, FittedClassifier, TabularEstimator, Task};
use crate::Error;

/// A classifier to be: a target column of two or more classes and how to learn it. Text, integers
/// and booleans are taken for labels.
///
/// ```no_run
/// use volatilityforge::{DeviceName, TabularClassifier, read_table};
///
/// let (clients, _) = read_table("clients.csv", &Default::default())?;
/// let device = DeviceName::Flex.open()?;
/// let model = TabularClassifier::new("churned").fit(&clients, &device)?;
/// let probabilities = model.predict_proba(&clients)?;
/// # Ok::<(), volatilityforge::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct TabularClassifier(TabularEstimator);

impl TabularClassifier {
    /// An FT-Transformer of balanced size that learns `target` from all other columns, trained as
    /// long as the table's length asks for.
    #[must_use]
    pub fn new(target: &str) -> Self {
        Self(TabularEstimator::new(target).task(Some(Task::Classification)))
    }

    /// With these settings; objectives are `binary` (class weights, threshold) and `multiclass`
    /// (class weights).
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

    /// Trains on all rows of `table`, a random part of each class held out for early stopping.
    ///
    /// # Errors
    /// Bad data (naming row and column): one class only, a missing label; a config that does not
    /// fit the table; training that cannot go on.
    pub fn fit(&self, table: &Table, device: &Device) -> Result<FittedClassifier, Error> {
        self.0.fit(table, device)?.into_classifier()
    }

    /// Trains on `split.train`, stops early by `split.validation`, and never looks at
    /// `split.test`.
    ///
    /// # Errors
    /// As [`fit`](Self::fit); a class that is in the validation rows but not in training.
    pub fn fit_split(
        &self,
        table: &Table,
        split: &Split,
        device: &Device,
        options: FitOptions,
    ) -> Result<(FittedClassifier, FitReport), Error> {
        let (fitted, report) = self.0.fit_split(table, split, device, options)?;
        Ok((fitted.into_classifier()?, report))
    }
}
