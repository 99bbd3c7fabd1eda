//! Classes from tables.

use super::of_one_task::estimator_of_one_task;
use super::{FittedClassifier, TabularEstimator, Task};

/// A classifier to be: a target column of two or more classes and how to learn it. Text, integers
/// and booleans are taken for labels. Its objectives are `binary` (class weights, threshold) and
/// `multiclass` (class weights).
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
}

estimator_of_one_task!(TabularClassifier, FittedClassifier, into_classifier);
