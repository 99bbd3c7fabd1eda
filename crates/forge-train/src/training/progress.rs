//! How far a run is: what belongs to no part.

use serde::{Deserialize, Serialize};

use super::EpochRecord;
use forge_nn::ForgeError;

/// How far a run is. With the sections of the parts this is the whole state of a run: schedule,
/// data order and random numbers are functions of the seed, the epoch and the step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Progress {
    /// Steps done in the epoch that is running.
    pub(super) batch: usize,
    /// Steps of this epoch that were left out.
    pub(super) skipped: u64,
    /// Sum over this epoch's batches of loss times weight.
    pub(super) loss_sum: f64,
    /// Weight of this epoch's batches.
    pub(super) weight: f64,
    /// Rows of this epoch's batches.
    pub(super) rows: u64,
    /// Seconds spent on this epoch.
    pub(super) epoch_seconds: f64,
    /// Seconds spent on the run.
    pub(super) seconds: f64,
    /// The epochs done.
    pub(super) history: Vec<EpochRecord>,
}

impl Progress {
    /// What a checksum cannot catch: a file that was made to mislead.
    pub(super) fn check(&self, epoch: usize, step: u64, batches: usize) -> Result<(), ForgeError> {
        let wrong = |what: String| Err(ForgeError::weights(what));
        let batch = self.batch;
        if batch > batches {
            return wrong(format!("batch {batch} of an epoch of {batches}"));
        }
        let steps = epoch as u128 * batches as u128 + batch as u128;
        if u128::from(step) != steps {
            return wrong(format!(
                "step {step} where epoch {epoch} and batch {batch} make {steps}"
            ));
        }
        let epochs = self.history.len();
        if epochs != epoch {
            return wrong(format!("{epochs} epochs of history at epoch {epoch}"));
        }
        let numbers = [self.loss_sum, self.weight, self.seconds, self.epoch_seconds];
        if numbers.iter().any(|x| !x.is_finite()) {
            return wrong("a number that is not finite".into());
        }
        Ok(())
    }

    /// The mean loss of the epoch so far.
    pub(super) fn mean_loss(&self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.loss_sum / self.weight)
    }
}
