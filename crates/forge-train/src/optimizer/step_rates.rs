//! The learning rates of one step.

/// The learning rates of one step, before the factors of groups.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StepRates {
    /// Of every parameter whose group has none of its own.
    pub lr: f64,
    /// Of the groups that have, by position; a list that is too short leaves out the rest.
    pub groups: Vec<Option<f64>>,
}

impl From<f64> for StepRates {
    fn from(lr: f64) -> Self {
        Self {
            lr,
            groups: Vec::new(),
        }
    }
}
