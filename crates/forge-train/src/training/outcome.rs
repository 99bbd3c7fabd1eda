//! What a run leaves.

use serde::{Deserialize, Serialize};

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// All epochs are done.
    Completed,
    /// Validation stopped improving.
    EarlyStopped,
    /// The stop flag was set.
    Interrupted,
    /// The wall-clock budget is spent.
    BudgetSpent,
}

/// One epoch, as it went.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochRecord {
    /// From 0.
    pub epoch: usize,
    /// Optimiser steps done by its end.
    pub step: u64,
    /// Rows trained on. Less than the set only where the budget ended the epoch.
    pub rows: u64,
    /// Mean training loss over those rows, each taken with the weights of its step.
    pub train_loss: f64,
    /// Validation score, where the epoch was validated.
    pub validation: Option<f64>,
    /// Learning rate of the last step.
    pub lr: f64,
    /// Wall-clock seconds, validation included. The only field that two equal runs differ in.
    pub seconds: f64,
}

/// What a run leaves.
#[derive(Debug, Clone)]
pub struct TrainOutcome<M> {
    /// The module in inference mode: that of the best validation score, or the last one where
    /// nothing was validated. It is the averaged one when averaging is on.
    pub module: M,
    /// Its validation score.
    pub score: Option<f64>,
    /// The epoch (from 0) that set the score.
    pub best_epoch: Option<usize>,
    /// One record an epoch.
    pub history: Vec<EpochRecord>,
    /// Why the run ended.
    pub stop: StopReason,
    /// Epochs in the history; the last is partial where the budget ended it.
    pub epochs: usize,
    /// Optimiser steps done.
    pub steps: u64,
    /// Wall-clock seconds, those of earlier sessions of a resumed run included.
    pub seconds: f64,
}
