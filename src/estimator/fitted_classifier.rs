//! A trained classifier.

use forge_data::Table;
use forge_nn::ForgeError;
use forge_train::objective::{Objective, ObjectiveConfig, Threshold};

use super::of_one_task::fitted_of_one_task;
use super::{FittedModel, Task};
use crate::Error;

/// A [`FittedModel`] that predicts classes.
#[derive(Debug, Clone)]
pub struct FittedClassifier(FittedModel);

fitted_of_one_task!(FittedClassifier, "regressor");

impl FittedClassifier {
    pub(super) fn new(model: FittedModel) -> Result<Self, Error> {
        match model.task() {
            Task::Classification => Ok(Self(model)),
            Task::Regression => Err(ForgeError::unsupported(
                "this model predicts numbers and has no probabilities of classes: take it as a \
                 regressor",
            )
            .into()),
        }
    }

    /// The label of each row: the most probable class, or of two classes the second where its
    /// probability reaches the threshold.
    ///
    /// # Errors
    /// As [`FittedModel::predictions`].
    pub fn predict(&self, table: &Table) -> Result<Vec<String>, Error> {
        let classes = self.predictions(table)?.classes().unwrap_or_default();
        let names = self.class_names();
        Ok(classes.into_iter().map(|c| names[c].clone()).collect())
    }

    /// The probability of every class, one list per row in the order of
    /// [`class_names`](Self::class_names).
    ///
    /// # Errors
    /// As [`FittedModel::predictions`].
    pub fn predict_proba(&self, table: &Table) -> Result<Vec<Vec<f64>>, Error> {
        let predictions = self.predictions(table)?;
        let probabilities = predictions.probabilities().unwrap_or_default();
        let rows = probabilities.chunks_exact(self.class_names().len().max(1));
        Ok(rows.map(<[f64]>::to_vec).collect())
    }

    /// The classes: text in order of code points, numbers rising, false before true. Of two, the
    /// second is the positive one.
    #[must_use]
    pub fn class_names(&self) -> &[String] {
        self.classes().unwrap_or_default()
    }

    /// With another threshold: from which probability of the second class on a row is taken for
    /// it.
    ///
    /// # Errors
    /// A config error for a threshold outside `(0, 1)`, an unsupported error for more than two
    /// classes.
    pub fn with_threshold(mut self, threshold: f64) -> Result<Self, Error> {
        let ObjectiveConfig::Binary(objective) = &mut self.0.objective else {
            let n = self.class_names().len();
            let what = "a threshold is for two classes; the most probable is taken here";
            return Err(ForgeError::unsupported(format!("{what} ({n} classes)")).into());
        };
        objective.threshold = Threshold::Fixed(threshold);
        objective.validate()?;
        Ok(self)
    }
}
