//! What a network must beat to be worth its training: a constant, a linear model and gradient
//! boosting, for every objective.
//!
//! | target | constant | linear | boosting |
//! |---|---|---|---|
//! | numbers | [`MeanBaseline`] | [`RidgeBaseline`] | [`BoostingBaseline`], squared error |
//! | classes | [`MajorityBaseline`] | [`LogisticBaseline`] | [`BoostingBaseline`], log loss |
//!
//! Where quantiles or distributions are asked for, a baseline of numbers is fitted to four fifths of
//! the rows and its residuals on the others are its spread, the same around every prediction.
//!
//! Numbers are standardised before a baseline sees them and its predictions put back, so that nothing
//! hangs on the target's unit. A baseline that panics, or predicts what is no number, is an error like
//! any other: it costs nobody the run.

mod boosting;
mod choice;
mod dense_columns;
mod lbfgs;
mod logistic;
mod majority;
mod mean;
mod ridge;
mod spread;
mod target_unit;

pub use boosting::BoostingBaseline;
pub use choice::BaselineChoice;
pub use dense_columns::DenseColumns;
pub(crate) use lbfgs::minimize;
pub use logistic::LogisticBaseline;
pub use majority::MajorityBaseline;
pub use mean::MeanBaseline;
pub use ridge::RidgeBaseline;

use std::any::Any;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;

use forge_nn::ForgeError;
use forge_train::objective::{Objective, ObjectiveConfig, Predictions, Targets, Threshold};

use crate::Error;

/// Predicts numbers without a network.
pub trait NumberBaseline {
    /// Its name in the leaderboard.
    fn name(&self) -> &'static str;

    /// Fits on the training rows.
    ///
    /// `weights` are one per training row, finite and at least 0; absent means 1 each. Whoever sets
    /// `stop` ends it soon, with an error.
    ///
    /// # Errors
    /// If the data cannot be fitted (no rows, or the method's own failure), or it is stopped.
    fn fit(
        &self,
        train: &DenseColumns,
        target: &[f64],
        weights: Option<&[f64]>,
        stop: &AtomicBool,
    ) -> Result<Box<dyn FittedNumbers>, Error>;

    /// [`fit`](Self::fit) to each of several targets of the same rows. Default: one after the other; what
    /// can share work between them does.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    fn fit_each(
        &self,
        train: &DenseColumns,
        targets: &[Vec<f64>],
        weights: Option<&[f64]>,
        stop: &AtomicBool,
    ) -> Result<Vec<Box<dyn FittedNumbers>>, Error> {
        let fit = |target: &Vec<f64>| self.fit(train, target, weights, stop);
        targets.iter().map(fit).collect()
    }

    /// [`fit`](Self::fit), and what it then says of the test rows.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    fn fit_predict(
        &self,
        train: &DenseColumns,
        target: &[f64],
        weights: Option<&[f64]>,
        test: &DenseColumns,
        stop: &AtomicBool,
    ) -> Result<Vec<f64>, Error> {
        Ok(self.fit(train, target, weights, stop)?.predict(test))
    }
}

/// A [`NumberBaseline`] that was fitted.
pub trait FittedNumbers: Debug {
    /// One number for each row, of the columns that it was fitted to.
    ///
    /// # Panics
    /// If there are other columns.
    fn predict(&self, rows: &DenseColumns) -> Vec<f64>;
}

/// Predicts the probabilities of classes without a network, fitted and applied in one call.
pub trait ClassBaseline {
    /// Its name in the leaderboard.
    fn name(&self) -> &'static str;

    /// Fits on the training rows, whose labels are below `n_classes`, and gives the test rows'
    /// probabilities `[N x C]` row by row.
    ///
    /// `weights` are one per training row, finite and at least 0; absent means 1 each. Whoever sets
    /// `stop` ends it soon, with an error.
    ///
    /// # Errors
    /// If the data cannot be fitted (no rows, or the method's own failure), or it is stopped.
    fn fit_predict(
        &self,
        train: &DenseColumns,
        labels: &[usize],
        n_classes: usize,
        weights: Option<&[f64]>,
        test: &DenseColumns,
        stop: &AtomicBool,
    ) -> Result<Vec<f64>, Error>;
}

/// A baseline of either kind.
pub enum Baseline {
    /// For numbers, one target column after the other.
    Numbers(Box<dyn NumberBaseline>),
    /// For classes.
    Classes(Box<dyn ClassBaseline>),
}

impl std::fmt::Debug for Baseline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Baseline").field(&self.name()).finish()
    }
}

impl Baseline {
    /// The three that suit an objective: constant, linear, boosting.
    #[must_use]
    pub fn all(objective: &ObjectiveConfig) -> Vec<Self> {
        if objective.n_classes().is_some() {
            vec![
                Self::Classes(Box::new(MajorityBaseline)),
                Self::Classes(Box::new(LogisticBaseline::default())),
                Self::Classes(Box::new(BoostingBaseline::for_classes())),
            ]
        } else {
            vec![
                Self::Numbers(Box::new(MeanBaseline)),
                Self::Numbers(Box::new(RidgeBaseline::default())),
                Self::Numbers(Box::new(BoostingBaseline::default())),
            ]
        }
    }

    /// Its name in the leaderboard.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Numbers(baseline) => baseline.name(),
            Self::Classes(baseline) => baseline.name(),
        }
    }

    /// Fits on the training rows and predicts the test rows, in the form that `objective` scores.
    ///
    /// Class weights of the objective are not used: they are a model's. A threshold that is a
    /// number is; one that is chosen on validation rows is ½ here. `stop` set from outside ends it
    /// soon, with an error.
    ///
    /// # Errors
    /// If the data cannot be fitted, the baseline is of another kind than the objective, predicts
    /// what is not finite, panics (where panics unwind), or is stopped.
    pub fn fit_predict(
        &self,
        objective: &ObjectiveConfig,
        train: &DenseColumns,
        target: &Targets,
        weights: Option<&[f64]>,
        test: &DenseColumns,
        stop: &AtomicBool,
    ) -> Result<Predictions, Error> {
        // Nothing of what a panic may leave half done is looked at again.
        let fitted = catch_unwind(AssertUnwindSafe(|| {
            self.predictions(objective, train, target, weights, test, stop)
        }));
        fitted.unwrap_or_else(|panic| {
            let (name, why) = (self.name(), message(panic.as_ref()));
            Err(ForgeError::training(format!("baseline '{name}' panicked: {why}")).into())
        })
    }

    fn predictions(
        &self,
        objective: &ObjectiveConfig,
        train: &DenseColumns,
        target: &Targets,
        weights: Option<&[f64]>,
        test: &DenseColumns,
        stop: &AtomicBool,
    ) -> Result<Predictions, Error> {
        match (self, objective.n_classes()) {
            (Self::Classes(baseline), Some(n_classes)) => {
                let labels = target.labels(n_classes)?;
                let threshold = match objective {
                    ObjectiveConfig::Binary(binary) => Some(match binary.threshold {
                        Threshold::Fixed(value) => value,
                        Threshold::Best(_) | Threshold::Tuned(_) => 0.5,
                    }),
                    _ => None,
                };
                let values =
                    baseline.fit_predict(train, &labels, n_classes, weights, test, stop)?;
                all_finite(baseline.name(), &values)?;
                Ok(Predictions::Probabilities {
                    n_classes,
                    threshold,
                    values,
                })
            }
            (Self::Numbers(baseline), None) => {
                let baseline = baseline.as_ref();
                spread::predictions(baseline, objective, train, target, weights, test, stop)
            }
            (_, classes) => {
                let asked = if classes.is_some() {
                    "classes"
                } else {
                    "numbers"
                };
                let reason = format!("baseline '{}' for {asked}", self.name());
                Err(ForgeError::unsupported(reason).into())
            }
        }
    }
}

/// What a baseline returns that was told to stop.
fn stopped(name: &str) -> Error {
    ForgeError::training(format!("{name}: stopped from outside")).into()
}

fn all_finite(name: &str, predicted: &[f64]) -> Result<(), Error> {
    match predicted.iter().position(|p| !p.is_finite()) {
        None => Ok(()),
        Some(at) => {
            let p = predicted[at];
            let reason =
                format!("baseline '{name}' predicts {p} (value {at}), not a finite number");
            Err(ForgeError::training(reason).into())
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without a message")
}
