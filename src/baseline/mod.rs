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

mod boosting;
mod dense_columns;
mod lbfgs;
mod logistic;
mod majority;
mod mean;
mod ridge;
mod spread;

pub use boosting::BoostingBaseline;
pub use dense_columns::DenseColumns;
pub use logistic::LogisticBaseline;
pub use majority::MajorityBaseline;
pub use mean::MeanBaseline;
pub use ridge::RidgeBaseline;

use forge_nn::ForgeError;
use forge_train::objective::{Objective, ObjectiveConfig, Predictions, Targets, Threshold};

use crate::Error;

/// Predicts numbers without a network, fitted and applied in one call.
pub trait NumberBaseline {
    /// Its name in the leaderboard.
    fn name(&self) -> &'static str;

    /// Fits on the training rows and predicts the test rows, one number per row.
    ///
    /// `weights` are one per training row, finite and at least 0; absent means 1 each.
    ///
    /// # Errors
    /// If the data cannot be fitted (no rows, or the method's own failure).
    fn fit_predict(
        &self,
        train: &DenseColumns,
        target: &[f64],
        weights: Option<&[f64]>,
        test: &DenseColumns,
    ) -> Result<Vec<f64>, Error>;
}

/// Predicts the probabilities of classes without a network, fitted and applied in one call.
pub trait ClassBaseline {
    /// Its name in the leaderboard.
    fn name(&self) -> &'static str;

    /// Fits on the training rows, whose labels are below `n_classes`, and gives the test rows'
    /// probabilities `[N x C]` row by row.
    ///
    /// `weights` are one per training row, finite and at least 0; absent means 1 each.
    ///
    /// # Errors
    /// If the data cannot be fitted (no rows, or the method's own failure).
    fn fit_predict(
        &self,
        train: &DenseColumns,
        labels: &[usize],
        n_classes: usize,
        weights: Option<&[f64]>,
        test: &DenseColumns,
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
                Self::Classes(Box::new(BoostingBaseline::default())),
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
    /// number is; one that is chosen on validation rows is ½ here.
    ///
    /// # Errors
    /// If the data cannot be fitted, or the baseline is of another kind than the objective.
    pub fn fit_predict(
        &self,
        objective: &ObjectiveConfig,
        train: &DenseColumns,
        target: &Targets,
        weights: Option<&[f64]>,
        test: &DenseColumns,
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
                Ok(Predictions::Probabilities {
                    n_classes,
                    threshold,
                    values: baseline.fit_predict(train, &labels, n_classes, weights, test)?,
                })
            }
            (Self::Numbers(baseline), None) => {
                spread::predictions(baseline.as_ref(), objective, train, target, weights, test)
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
