//! One round of learning and measuring.

use serde::{Deserialize, Serialize};

use super::TimeRange;
use crate::DataError;
use crate::series::SeriesSchema;
use crate::series::timetable::Stamp;

/// One round: where forecasts are learned, chosen and measured.
///
/// [`Windows::within`](crate::Windows::within) takes the windows whose whole forecast part lies in
/// one of them; [`SeriesScaler::fit`](crate::SeriesScaler::fit) takes `train`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fold {
    /// To learn from. It ends before the validation part, or the test part without one.
    pub train: TimeRange,
    /// For early stopping and choosing between models; `None` without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<TimeRange>,
    /// To measure with; `None` without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<TimeRange>,
}

/// Steps between which the parts of a round lie.
pub(super) struct Cut {
    pub(super) train: usize,
    pub(super) validation: usize,
    pub(super) test: usize,
    pub(super) end: usize,
    pub(super) embargo: usize,
}

impl Cut {
    pub(super) fn fold(&self, steps: &[i64], schema: &SeriesSchema) -> Result<Fold, DataError> {
        let at = |step: usize| steps.get(step).copied();
        let has_validation = self.validation < self.test;
        let has_test = self.test < self.end;
        let train_end = self.validation.saturating_sub(self.embargo);
        let validation_end = if has_test {
            self.test.saturating_sub(self.embargo)
        } else {
            self.test
        };
        let train_end = if has_validation || has_test {
            train_end
        } else {
            self.end
        };
        if train_end <= self.train {
            return Err(DataError::value(format!(
                "there are {} steps in time and none is left to train on before {} (validation \
                 and test take {}, embargo {}): make those parts smaller",
                steps.len(),
                at(self.validation)
                    .map_or_else(String::new, |time| schema.shown(Stamp::new(time, 0))),
                self.end - self.validation,
                self.embargo
            )));
        }
        if has_validation && validation_end <= self.validation {
            return Err(DataError::config(format!(
                "embargo = {} leaves nothing of the {} validation steps: allowed below that",
                self.embargo,
                self.test - self.validation
            )));
        }
        Ok(Fold {
            train: TimeRange {
                from: (self.train > 0).then(|| at(self.train)).flatten(),
                until: at(train_end),
            },
            validation: has_validation.then(|| TimeRange {
                from: at(self.validation),
                until: at(validation_end),
            }),
            test: has_test.then(|| TimeRange {
                from: at(self.test),
                until: at(self.end),
            }),
        })
    }
}
