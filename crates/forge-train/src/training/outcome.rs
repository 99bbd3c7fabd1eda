//! What a run leaves.

use serde::{Deserialize, Serialize};

use crate::metric::{Score, Scores};

/// Why a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// An observer asked for it, for this reason.
    Observer(String),
}

/// What one candidate reached on the validation set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validation {
    /// Which weights: `module`, or the average's name.
    pub candidate: String,
    /// Their scores; the first decides unless the config's `select_by` names another. Scores that are
    /// not finite are left out.
    pub scores: Scores,
}

impl Validation {
    /// The first score, which decides where the config does not name another.
    #[must_use]
    pub fn deciding(&self) -> Option<&Score> {
        self.scores.deciding()
    }
}

/// One epoch, as it went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochRecord {
    /// From 0.
    pub epoch: usize,
    /// Optimiser steps done by its end.
    pub step: u64,
    /// Steps of this epoch that a gradient rule had left out.
    pub skipped: u64,
    /// Rows trained on. Less than the set where the budget ended the epoch or steps were skipped.
    pub rows: u64,
    /// Mean training loss over those rows, each taken with the weights of its step.
    pub train_loss: f64,
    /// One entry per candidate, the best first; empty where the epoch was not validated.
    pub validation: Vec<Validation>,
    /// Learning rate of the last step (of the first group).
    pub lr: f64,
    /// Wall-clock seconds, validation included. The only field that two equal runs differ in.
    pub seconds: f64,
}

impl EpochRecord {
    /// The first score of the best candidate, where the epoch was validated.
    #[must_use]
    pub fn score(&self) -> Option<f64> {
        let score = self.validation.first()?.deciding()?;
        Some(score.value)
    }
}

/// What a run leaves.
#[derive(Debug, Clone)]
pub struct TrainOutcome<M> {
    /// The module in inference mode: that of the best validation, or the last one where nothing
    /// was validated. It is an averaged one where that was better, see `candidate`.
    pub module: M,
    /// The modules whose predictions are averaged, where a snapshot ensemble was the best: `module`
    /// is the newest of them. Otherwise `module` alone.
    pub members: Vec<M>,
    /// Which weights these are: `module`, or the average's name.
    pub candidate: String,
    /// Its validation scores.
    pub scores: Option<Scores>,
    /// The epoch (from 0) that set them.
    pub best_epoch: Option<usize>,
    /// One record per epoch.
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

impl<M> TrainOutcome<M> {
    /// The first validation score.
    #[must_use]
    pub fn score(&self) -> Option<f64> {
        let score = self.scores.as_ref()?.deciding()?;
        Some(score.value)
    }
}
