//! Where a run ends that cannot see which of its epochs is best.

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::{TrainOutcome, TrainerConfig};

/// Where a run ends that has no validation rows to see it by: what an earlier one, with fewer rows
/// for training, found best.
///
/// Schedules stay those of all [epochs](TrainerConfig::epochs): the rates of an epoch are the ones
/// that it had in the run before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ending {
    /// Epochs of the run. From 1 to those of the config.
    pub epochs: usize,
    /// Which weights it leaves: `module`, or an average's name.
    pub candidate: String,
}

impl Ending {
    /// Where `outcome` was best. None where nothing was validated, or where weights of several epochs
    /// were best together.
    #[must_use]
    pub fn of<M>(outcome: &TrainOutcome<M>) -> Option<Self> {
        Some(Self {
            epochs: outcome.best_epoch? + 1,
            candidate: outcome.candidate.clone(),
        })
    }

    pub(super) fn validate(&self, config: &TrainerConfig) -> Result<(), ForgeError> {
        check::in_range("ending.epochs", self.epochs, 1..=config.epochs)?;
        let by_validation = [
            ("early_stopping", config.early_stopping.is_some()),
            ("snapshots", config.snapshots.is_some()),
            ("soup", config.soup.is_some()),
        ];
        match by_validation.iter().find(|(_, is_set)| *is_set) {
            Some((field, _)) => {
                let allowed = "absent in a run whose end is given";
                Err(ForgeError::config(field, "set", allowed))
            }
            None => Ok(()),
        }
    }
}
