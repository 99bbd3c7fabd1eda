//! Training again, with the rows that an epoch was chosen by.

use burn::tensor::Device;
use forge_data::{Split, Table};
use forge_train::TrainerConfig;

use super::TabularEstimator;
use super::started::Ended;
use crate::estimator::predict::without_gradients;
use crate::estimator::{FitReport, FittedModel};
use crate::{Error, Refit};

impl TabularEstimator {
    /// Trains anew on the training and the validation rows of `split`, each network to the epoch that
    /// was best in `first`, whose validation scores and threshold stay.
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
            endings,
            training,
            mut options,
        } = first;
        if !Refit::follows(&report.stopped) {
            return Ok((chosen, report));
        }
        if endings.is_none() && self.config.trains() {
            return Err(Refit::no_epoch().into());
        }
        let mut rows = [&split.train[..], &split.validation].concat();
        rows.sort_unstable();
        let refit = Refit {
            rows: rows.len(),
            epochs: (endings.iter().flatten().next()).map_or(0, |ending| ending.epochs),
        };
        let all = Split {
            train: rows,
            ..Split::default()
        };
        let note = [refit.note("rows")];
        options.tell(&note);
        report.notes.extend(note);
        // What there is to know of the data is told.
        options.notes = None;
        options.checkpoints = options.checkpoints.map(|folder| folder.join(Refit::FOLDER));

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
        } = started.ending_at(endings).fit(self, table, &all)?;
        report.seconds += second.seconds;
        if !Refit::follows(&second.stopped) {
            report.stopped = second.stopped;
            return Ok((chosen, report));
        }
        fitted.objective.take_threshold_of(&chosen.objective);
        fitted.calibration = chosen.calibration;
        report.preprocessing = second.preprocessing;
        report.parameters = second.parameters;
        report.refit = Some(refit);
        Ok((fitted, report))
    }
}
