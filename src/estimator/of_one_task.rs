//! What a regressor and a classifier have in common.

/// The methods of an estimator of one task: a wrapper around
/// [`TabularEstimator`](super::TabularEstimator) whose models become `$fitted` by `$into`.
macro_rules! estimator_of_one_task {
    ($name:ident, $fitted:ident, $into:ident) => {
        impl $name {
            /// With these settings.
            ///
            /// # Errors
            /// What [`EstimatorConfig::validate`](crate::EstimatorConfig::validate) finds. Whether
            /// the objective suits the task is seen when fitting.
            pub fn with_config(
                self,
                config: $crate::EstimatorConfig,
            ) -> Result<Self, $crate::Error> {
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

            /// [`TabularEstimator::continual`](crate::TabularEstimator::continual) of such a model.
            #[must_use]
            pub fn continual(
                &self,
                strategy: forge_meta::continual::StrategyConfig,
                tasks: impl Into<$crate::TasksBy>,
            ) -> $crate::ContinualEstimator {
                self.0.continual(strategy, tasks)
            }

            /// Trains on all rows of `table`, a random part of them (of each class) held out for
            /// early stopping.
            ///
            /// # Errors
            /// Bad data (naming row and column), a config that does not fit the table or the task,
            /// or training that cannot go on.
            pub fn fit(
                &self,
                table: &forge_data::Table,
                device: &burn::tensor::Device,
            ) -> Result<$fitted, $crate::Error> {
                self.0.fit(table, device)?.$into()
            }

            /// [`fit`](Self::fit) by what a trained model says of the training rows, beside their
            /// targets: a student of it. `FittedModel::student` gives the settings of a smaller one
            /// of its kind.
            ///
            /// # Errors
            /// As [`fit`](Self::fit); a config error for a teacher of other targets or classes, an
            /// unsupported error for one whose objective says something else.
            pub fn distill<'a>(
                &self,
                teacher: impl Into<$crate::Teacher<'a>>,
                table: &forge_data::Table,
                device: &burn::tensor::Device,
            ) -> Result<$fitted, $crate::Error> {
                self.0.distill(teacher, table, device)?.$into()
            }

            /// Trains on `split.train`, stops early by `split.validation`, and never looks at
            /// `split.test`.
            ///
            /// # Errors
            /// As [`fit`](Self::fit); a class that is in the validation rows but not in training.
            pub fn fit_split(
                &self,
                table: &forge_data::Table,
                split: &forge_data::Split,
                device: &burn::tensor::Device,
                options: $crate::FitOptions<'_>,
            ) -> Result<($fitted, $crate::FitReport), $crate::Error> {
                let (fitted, report) = self.0.fit_split(table, split, device, options)?;
                Ok((fitted.$into()?, report))
            }

            /// [`TabularEstimator::find_learning_rate`](crate::TabularEstimator::find_learning_rate)
            /// of such a model.
            ///
            /// # Errors
            /// Those.
            pub fn find_learning_rate(
                &self,
                table: &forge_data::Table,
                split: &forge_data::Split,
                device: &burn::tensor::Device,
                finder: forge_train::LrFinderConfig,
            ) -> Result<forge_train::LrCurve, $crate::Error> {
                self.0.find_learning_rate(table, split, device, finder)
            }
        }
    };
}

/// The methods of a fitted model whose task is known: a wrapper around
/// [`FittedModel`](super::FittedModel).
macro_rules! fitted_of_one_task {
    ($name:ident, $other:literal) => {
        impl std::ops::Deref for $name {
            type Target = $crate::FittedModel;

            fn deref(&self) -> &$crate::FittedModel {
                &self.0
            }
        }

        impl $name {
            /// The column it predicts; of several the first.
            #[must_use]
            pub fn target(&self) -> &str {
                self.target_names().first().copied().unwrap_or_default()
            }

            /// [`FittedModel::load`](crate::FittedModel::load) of such a model.
            ///
            /// # Errors
            #[doc = concat!("Those, and an unsupported error for a file that holds a ", $other, ".")]
            pub fn load(
                path: impl AsRef<std::path::Path>,
                device: &burn::tensor::Device,
            ) -> Result<Self, $crate::Error> {
                Self::new($crate::FittedModel::load(path, device)?)
            }

            /// [`FittedModel::calibrate`](crate::FittedModel::calibrate).
            ///
            /// # Errors
            /// As there.
            pub fn calibrate(
                &mut self,
                table: &forge_data::Table,
                rows: Option<&[usize]>,
                config: &$crate::CalibrationConfig,
            ) -> Result<(), $crate::Error> {
                self.0.calibrate(table, rows, config)
            }

            /// The model, whatever it predicts.
            #[must_use]
            pub fn into_model(self) -> $crate::FittedModel {
                self.0
            }
        }
    };
}

pub(super) use {estimator_of_one_task, fitted_of_one_task};
