//! A second run of a fit, with the rows that an epoch was chosen by.

use forge_nn::ForgeError;
use forge_train::{StopReason, TrainerConfig};
use serde::Serialize;

/// A second run of a fit, to what it trains and what it validates on together: see
/// [`EstimatorConfig::refit`](crate::EstimatorConfig::refit) and
/// [`ForecasterConfig::refit`](crate::forecast::ForecasterConfig::refit).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Refit {
    /// Rows, or windows of a forecaster, that were trained on.
    pub rows: usize,
    /// Epochs, as many as were best, of an ensemble the first network's; 0 where nothing is trained.
    pub epochs: usize,
}

impl Refit {
    /// Where the checkpoints of the second run are, in the folder of the first.
    pub(crate) const FOLDER: &str = "refit";

    /// What a person should know of it; `what` are rows or windows.
    pub(crate) fn note(self, what: &str) -> String {
        let Self { rows, epochs } = self;
        let epochs = match epochs {
            0 => String::new(),
            epochs => format!(", {epochs} epochs"),
        };
        format!(
            "fitted a second time, to all {rows} {what} for training and validation{epochs}: the \
             validation scores are those of the first"
        )
    }

    /// Refuses settings under which validation decides more than an epoch.
    ///
    /// # Errors
    /// A config error naming the field.
    pub(crate) fn check(training: &TrainerConfig) -> Result<(), ForgeError> {
        let budget = training.max_seconds.is_some();
        let follows = training.schedule.follows_scores();
        let by_validation = [
            ("a time budget (max_seconds)", budget),
            ("snapshots", training.snapshots.is_some()),
            ("a soup", training.soup.is_some()),
            ("a rate that follows the scores", follows),
        ];
        match by_validation.iter().find(|(_, is_set)| *is_set) {
            None => Ok(()),
            Some((what, _)) => {
                let allowed = format!(
                    "false with {what}: how a run with the validation part is to go must be known from \
                     the one without"
                );
                Err(ForgeError::config("refit", true, allowed))
            }
        }
    }

    /// Whether a run ended so that another can follow it.
    pub(crate) fn follows(stopped: &StopReason) -> bool {
        matches!(stopped, StopReason::Completed | StopReason::EarlyStopped)
    }

    /// Of a fit whose networks were not best at single epochs.
    pub(crate) fn no_epoch() -> ForgeError {
        let allowed = "false where no single epoch was the best";
        ForgeError::config("refit", true, allowed)
    }
}
