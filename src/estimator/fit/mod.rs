//! Training on a table.

mod beginning;
mod prepared;
mod refit;
mod rows;
mod started;

use burn::tensor::Device;
use forge_data::{Split, SplitConfig, Table, TaskKind};
use forge_meta::continual::TaskScores;
use forge_nn::{DeviceName, ForgeError};
use forge_train::{LrCurve, LrFinder, LrFinderConfig};

use self::prepared::Prepared;
use super::continual::Plan;
use super::predict::without_gradients;
use super::{EstimatorConfig, FitOptions, FitReport, FittedModel, Task, Teacher};
use crate::Error;

/// An estimator to be, of whatever the target is: numbers or classes.
///
/// [`TabularRegressor`](super::TabularRegressor) and [`TabularClassifier`](super::TabularClassifier)
/// are this with the task decided; here it is taken from the target (text or few integers: classes)
/// unless [`task`](Self::task) says.
#[derive(Debug, Clone, PartialEq)]
pub struct TabularEstimator {
    pub(super) targets: Vec<String>,
    ignore: Vec<String>,
    weights: Option<String>,
    pub(super) task: Option<Task>,
    pub(super) config: EstimatorConfig,
}

impl TabularEstimator {
    /// An FT-Transformer of balanced size that learns `target` from all other columns.
    #[must_use]
    pub fn new(target: &str) -> Self {
        Self::targets([target])
    }

    /// The same for several numeric targets.
    #[must_use]
    pub fn targets<S: Into<String>>(targets: impl IntoIterator<Item = S>) -> Self {
        Self {
            targets: targets.into_iter().map(Into::into).collect(),
            ignore: Vec::new(),
            weights: None,
            task: None,
            config: EstimatorConfig::default(),
        }
    }

    /// With these settings.
    ///
    /// # Errors
    /// What [`EstimatorConfig::validate`] finds.
    pub fn with_config(mut self, config: EstimatorConfig) -> Result<Self, Error> {
        config.validate()?;
        self.config = config;
        Ok(self)
    }

    /// Whether the target is numbers or classes; absent: what it looks like.
    #[must_use]
    pub fn task(mut self, task: Option<Task>) -> Self {
        self.task = task;
        self
    }

    /// Columns that are not features.
    #[must_use]
    pub fn ignore<S: Into<String>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.ignore.extend(columns.into_iter().map(Into::into));
        self
    }

    /// A column of sample weights, at least 0: what each row counts in training. It is no feature.
    #[must_use]
    pub fn weights(mut self, column: &str) -> Self {
        self.weights = Some(column.into());
        self
    }

    /// Trains on all rows of `table`, a random part of them held out for early stopping: of each
    /// class alike, where the target is classes.
    ///
    /// # Errors
    /// Bad data (naming row and column), a config that does not fit the table, or training that
    /// cannot go on.
    pub fn fit(&self, table: &Table, device: &Device) -> Result<FittedModel, Error> {
        self.fit_all(table, device, FitOptions::default())
    }

    /// [`fit`](Self::fit) by what a trained model says of the training rows, beside their targets: a
    /// student of it. [`FittedModel::student`] gives the settings of a smaller one of its kind.
    ///
    /// # Errors
    /// As [`fit`](Self::fit); a config error for a teacher of other targets or classes, an unsupported
    /// error for one whose objective says something else.
    pub fn distill<'a>(
        &self,
        teacher: impl Into<Teacher<'a>>,
        table: &Table,
        device: &Device,
    ) -> Result<FittedModel, Error> {
        let options = FitOptions {
            teacher: Some(teacher.into()),
            ..FitOptions::default()
        };
        self.fit_all(table, device, options)
    }

    /// [`fit`](Self::fit) with options.
    fn fit_all(
        &self,
        table: &Table,
        device: &Device,
        options: FitOptions<'_>,
    ) -> Result<FittedModel, Error> {
        let all: Vec<usize> = (0..table.n_rows()).collect();
        let (kind, _) = self.kind(table, &all)?;
        let split = SplitConfig::Random {
            fraction: 0.0,
            seed: self.config.training.seed,
            stratify: (kind != TaskKind::Regression).then(|| self.targets[0].clone()),
        }
        // Rows that nothing is stopped or calibrated by are better looked at.
        .split(
            table,
            match self.config.trains() || self.config.calibration.is_some() {
                true => self.config.validation_fraction,
                false => 0.0,
            },
        )?;
        let (fitted, _) = self.fit_split(table, &split, device, options)?;
        Ok(fitted)
    }

    /// Trains on `split.train`, stops early by `split.validation` (with
    /// [`refit`](EstimatorConfig::refit) it then trains again on both), and never looks at `split.test`.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn fit_split(
        &self,
        table: &Table,
        split: &Split,
        device: &Device,
        options: FitOptions<'_>,
    ) -> Result<(FittedModel, FitReport), Error> {
        let prepared = self.prepared(table, split, Some(&without_gradients(device)))?;
        self.check_calibration(&prepared, split)?;
        let started = prepared.start(self, table, split, device, options)?;
        let ended = started.fit(self, table, split)?;
        if self.config.refit && !split.validation.is_empty() {
            return self.refit(table, split, device, ended);
        }
        Ok((ended.fitted, ended.report))
    }

    /// Whether there are validation rows enough to calibrate by, if that is wanted.
    fn check_calibration(&self, prepared: &Prepared, split: &Split) -> Result<(), ForgeError> {
        match &self.config.calibration {
            None => Ok(()),
            Some(calibration) => {
                calibration.check_rows(&prepared.objective, split.validation.len())
            }
        }
    }

    /// Trains on the tasks of `plan` one after the other.
    pub(super) fn fit_plan(
        &self,
        table: &Table,
        split: &Split,
        device: &Device,
        options: FitOptions<'_>,
        plan: Plan,
    ) -> Result<(FittedModel, TaskScores), Error> {
        if self.config.calibration.is_some() {
            let allowed =
                "absent where tasks are learned one after the other: calibrate what is fitted";
            return Err(ForgeError::config("calibration", "set", allowed).into());
        }
        let prepared = self.prepared(table, split, Some(&without_gradients(device)))?;
        let started = prepared.start(self, table, split, device, options)?;
        started.learn(table, split, plan)
    }

    /// Finds out, before anything is trained or written, what [`fit_split`](Self::fit_split) would
    /// refuse: bad data, and settings that do not fit them.
    ///
    /// # Errors
    /// As [`fit_split`](Self::fit_split), but for those of training itself.
    pub fn check(&self, table: &Table, split: &Split) -> Result<(), Error> {
        // Nothing is computed: any device does to read weights on.
        let device = DeviceName::Flex.open().ok();
        let prepared = self.prepared(table, split, device.as_ref())?;
        self.check_calibration(&prepared, split)?;
        // These are looked at after the training.
        if !split.test.is_empty() {
            prepared.read(table, &split.test)?;
        }
        Ok(())
    }

    /// Tries learning rates on `split.train` from the weights that [`fit_split`](Self::fit_split)
    /// would start from, with the same optimiser, batches and clipping. Take what it suggests as
    /// `training.learning_rate`.
    ///
    /// ```
    /// # use volatilityforge::burn::tensor::Device;
    /// # use volatilityforge::train::LrFinderConfig;
    /// # use volatilityforge::{EstimatorConfig, Strategy, TabularEstimator, read_table};
    /// # use volatilityforge::data::{Split, SplitConfig};
    /// # fn tuned(table: &volatilityforge::Table, split: &Split) -> Result<(), volatilityforge::Error> {
    /// let mut config = EstimatorConfig::named("tabular_mlp", Strategy::Fast)?;
    /// let estimator = TabularEstimator::new("price").with_config(config.clone())?;
    /// let curve =
    ///     estimator.find_learning_rate(table, split, &Device::flex(), LrFinderConfig::default())?;
    /// config.training.learning_rate = curve.suggestion();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`fit_split`](Self::fit_split), and a config error about `finder`.
    pub fn find_learning_rate(
        &self,
        table: &Table,
        split: &Split,
        device: &Device,
        finder: LrFinderConfig,
    ) -> Result<LrCurve, Error> {
        let finder = LrFinder::new(finder)?;
        let prepared = self.prepared(table, split, Some(&without_gradients(device)))?;
        let started = prepared.start(self, table, split, device, FitOptions::default())?;
        started.find(&finder)
    }
}
