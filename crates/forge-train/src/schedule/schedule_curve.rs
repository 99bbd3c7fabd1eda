//! The rate at a step.

use super::ScheduleConfig;

/// A schedule with nothing left open; made by [`ScheduleConfig::build`].
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    config: ScheduleConfig,
}

impl Schedule {
    /// `config` with every length filled in.
    pub(super) fn new(config: ScheduleConfig) -> Self {
        Self { config }
    }

    /// The config, every length filled in.
    #[must_use]
    pub fn config(&self) -> &ScheduleConfig {
        &self.config
    }

    /// The learning rate that optimiser step `step` (from 0) uses. Steps past the end of the
    /// schedule keep its last rate, except where it has no end (restarts, falls by a factor). Of one
    /// that follows scores this is the rate before any: see [`Plateau`](super::Plateau).
    #[must_use]
    pub fn lr(&self, step: u64) -> f64 {
        self.config.curve().lr(step)
    }
}
