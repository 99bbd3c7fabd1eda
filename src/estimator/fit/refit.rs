//! Training again, with the rows that an epoch was chosen by.

use burn::tensor::Device;
use forge_data::{Split, Table};
use forge_nn::ForgeError;
use forge_train::{StopReason, TrainerConfig};

use super::TabularEstimator;
use super::started::Ended;
use crate::Error;
use crate::estimator::predict::without_gradients;
use crate::estimator::{FitReport, FittedModel, Refit};

/// Where the checkpoints of the second run are, in the folder of the first.
const FOLDER: &str = "refit";

/// Refuses settings under which validation rows decide more than an epoch.
///
/// # Errors
/// A config error naming the field.
pub(in crate::estimator) fn check(training: &TrainerConfig) -> Result<(), ForgeError> {
    let by_validation = [
        (
            "a time budget (max_seconds)",
            training.max_seconds.is_some(),
        ),
        ("snapshots", training.snapshots.is_some()),
        ("a soup", training.soup.is_some()),
        (
            "a rate that follows the scores",
            training.schedule.follows_scores(),
        ),
    ];
    match by_validation.iter().find(|(_, is_set)| *is_set) {
        None => Ok(()),
        Some((what, _)) => {
            let allowed = format!(
                "false with {what}: how a run with the validation rows is to go must be known from the \
                 one without"
            );
            Err(ForgeError::config("refit", true, allowed))
        }
    }
}

impl TabularEstimator {
    /// Trains anew on the training and the validation rows of `split`, to the epoch that was best in
    /// `first`, whose validation scores and threshold stay.
    pub(super) fn refit(
        &self,
        table: &Table,
        split: &Split,
        device: &Device,
        first: Ended<'_>,
    ) -> Result<(FittedModel, FitReport), Error> {
        let Ended {
            fitted: chosen,
            mut report,
            ending,
            training,
            mut options,
        } = first;
        if matches!(
            report.stopped,
            StopReason::Interrupted | StopReason::Observer(_)
        ) {
            return Ok((chosen, report));
        }
        if ending.is_none() && self.config.trains() {
            let allowed = "false where no single epoch was the best";
            return Err(ForgeError::config("refit", true, allowed).into());
        }
        let mut rows = [&split.train[..], &split.validation].concat();
        rows.sort_unstable();
        let refit = Refit {
            rows: rows.len(),
            epochs: ending.as_ref().map_or(0, |ending| ending.epochs),
        };
        let all = Split {
            train: rows,
            ..Split::default()
        };
        let note = [refit.to_string()];
        options.tell(&note);
        report.notes.extend(note);
        // What there is to know of the data is told.
        options.notes = None;
        options.checkpoints = options.checkpoints.map(|folder| folder.join(FOLDER));

        let mut prepared = self.prepared(table, &all, Some(&without_gradients(device)))?;
        // The preset's would be that of more rows.
        prepared.training = TrainerConfig {
            early_stopping: None,
            ..training
        };
        let started = prepared.start(self, table, &all, device, options)?;
        let Ended {
            mut fitted,
            report: second,
            ..
        } = started.ending_at(ending).fit(self, table, &all)?;
        report.seconds += second.seconds;
        if matches!(
            second.stopped,
            StopReason::Interrupted | StopReason::Observer(_)
        ) {
            report.stopped = second.stopped;
            return Ok((chosen, report));
        }
        fitted.objective.take_threshold_of(&chosen.objective);
        report.preprocessing = second.preprocessing;
        report.parameters = second.parameters;
        report.refit = Some(refit);
        Ok((fitted, report))
    }
}
