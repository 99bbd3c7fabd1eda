//! Numbers from tables.

use super::of_one_task::estimator_of_one_task;
use super::{FittedRegressor, TabularEstimator, Task};

/// A regressor to be: target columns and how to learn them. Its objectives are `regression`,
/// `quantiles`, `distribution` and `returns_direction`.
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
}

estimator_of_one_task!(TabularRegressor, FittedRegressor, into_regressor);
