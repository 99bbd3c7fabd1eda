//! How far a run is: everything but the tensors.

use serde::{Deserialize, Serialize};

use super::EpochRecord;
use super::early_stopping::EarlyStopping;

/// How far a run is. With the tensors beside it this is the whole state of a run: schedule, data
/// order and random numbers are functions of the seed, the epoch and the step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Progress {
    /// The epoch that is running, from 0.
    pub(crate) epoch: usize,
    /// Steps done in it.
    pub(crate) batch: usize,
    /// Steps done in the run.
    pub(crate) step: u64,
    /// Sum over this epoch's batches of loss times rows.
    pub(crate) loss_sum: f64,
    /// Rows of this epoch's batches.
    pub(crate) rows: u64,
    /// Seconds spent on this epoch.
    pub(crate) epoch_seconds: f64,
    /// Seconds spent on the run.
    pub(crate) seconds: f64,
    /// What early stopping remembers.
    pub(crate) early: EarlyStopping,
    /// Validation has stopped improving.
    pub(crate) stopped_early: bool,
    /// The best validation so far.
    pub(crate) best: Option<Best>,
    /// Updates of the average.
    pub(crate) ema_calls: Option<u64>,
    /// The epochs done.
    pub(crate) history: Vec<EpochRecord>,
}

/// The best validation so far.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Best {
    pub(crate) score: f64,
    pub(crate) epoch: usize,
}
