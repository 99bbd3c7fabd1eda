//! The numbers of one AdamW step.

/// The hyper-parameters of one step, as [`adamw_step`](super::adamw_step) takes them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamWStep {
    /// Learning rate of this step.
    pub learning_rate: f64,
    /// Decay of the first moment.
    pub beta_1: f64,
    /// Decay of the second moment.
    pub beta_2: f64,
    /// Added to the root of the bias-corrected second moment.
    pub epsilon: f64,
    /// Decoupled decay: the parameter is multiplied by `1 - learning_rate · weight_decay` first.
    pub weight_decay: f64,
    /// The number of this step, counted from 1.
    pub time: usize,
}

impl AdamWStep {
    /// `1 - beta_1^time`.
    pub(super) fn correction_1(&self) -> f64 {
        1.0 - self.beta_1.powf(self.time as f64)
    }

    /// `1 - beta_2^time`.
    pub(super) fn correction_2(&self) -> f64 {
        1.0 - self.beta_2.powf(self.time as f64)
    }
}
