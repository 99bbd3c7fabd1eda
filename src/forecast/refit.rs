//! Training again, to the end of what is known.

use std::sync::Arc;

use burn::tensor::Device;
use forge_data::{Fold, SeriesScaler, SeriesTable, TimeRange};
use forge_train::{Ending, TrainerConfig};

use super::fit::Ended;
use super::{FittedForecaster, ForecastFitReport, ForecastTeacher, Forecaster};
use crate::{Error, Refit};

/// What a second run takes over of the first.
pub(super) struct Second {
    /// Of the first training steps, so that what validation showed of intervals stays in its units.
    pub(super) scaler: Arc<SeriesScaler>,
    pub(super) training: TrainerConfig,
    /// Where each network was best.
    pub(super) endings: Vec<Ending>,
}

impl Forecaster {
    /// Trains anew from the beginning of the training part to the end of the validation part, each
    /// network to the epoch that was best in `first`; what validation showed of intervals and means stays.
    pub(super) fn refit(
        &self,
        table: &Arc<SeriesTable>,
        fold: &Fold,
        device: &Device,
        first: Ended<'_>,
        teacher: Option<ForecastTeacher<'_>>,
    ) -> Result<(FittedForecaster, ForecastFitReport), Error> {
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
        let endings = endings.ok_or_else(Refit::no_epoch)?;
        let epochs = endings.first().map_or(0, |ending| ending.epochs);
        let second = Second {
            scaler: Arc::clone(&chosen.scaler),
            training: TrainerConfig {
                early_stopping: None,
                ..training
            },
            endings,
        };
        let all = Fold {
            train: TimeRange {
                from: fold.train.from,
                until: fold.validation.and_then(|validation| validation.until),
            },
            validation: None,
            test: fold.test,
        };
        // What there is to know of the series is told, and what is left of it now would be of no use.
        let hear = options.notes.take();
        options.checkpoints = options.checkpoints.map(|folder| folder.join(Refit::FOLDER));
        let Ended {
            mut fitted,
            report: again,
            mut options,
            ..
        } = self.fit_once(table, &all, device, options, teacher, Some(second))?;
        options.notes = hear;
        report.seconds += again.seconds;
        if !Refit::follows(&again.stopped) {
            report.stopped = again.stopped;
            return Ok((chosen, report));
        }
        fitted.conformal = chosen.conformal;
        fitted.adaptive = chosen.adaptive;
        fitted.mean = fitted.mean.or(chosen.mean);
        let refit = Refit {
            rows: again.windows,
            epochs,
        };
        let note = [refit.note("windows")];
        options.tell(&note);
        report.notes.extend(note);
        report.refit = Some(refit);
        Ok((fitted, report))
    }
}
