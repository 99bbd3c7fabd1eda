//! Parts of time to learn from and to measure on.

mod fold;
mod time_range;

pub use fold::Fold;
pub use time_range::TimeRange;

use serde::{Deserialize, Serialize};

use self::fold::Cut;
use super::SeriesTable;
use super::timetable::Stamp;
use crate::DataError;

/// How much of the end of time a part takes. Steps are distinct times of all series together.
///
/// As TOML or JSON: `{ fraction = 0.2 }`, `{ steps = 2880 }` or `{ from = "2023-01-01" }`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitPart {
    /// This part of all steps, 0 (no such part) to below 1.
    Fraction(f64),
    /// This many steps; 0 is no such part.
    Steps(usize),
    /// The steps from a time on, written as in ISO 8601, on the series' own zone where it has no
    /// offset.
    From(String),
}

/// What the training part of a walk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrainSpan {
    /// Everything before.
    #[default]
    Expanding,
    /// The last so many steps before, at least 1.
    Rolling(usize),
}

/// How time is split into training, validation and test, the same for all series. Steps are distinct
/// times of all series together that have a value of a target.
///
/// A window belongs to a part only if its whole forecast part lies there: those across a border are
/// in none (purged). `embargo` keeps that many more steps between a part and the next out of both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
pub enum TimeSplit {
    /// Training, then validation, then test.
    HoldOut {
        /// The steps before the test part. Default: a tenth.
        #[serde(default = "tenth")]
        validation: SplitPart,
        /// The last steps. Default: a fifth.
        #[serde(default = "fifth")]
        test: SplitPart,
        /// Steps left out before validation and before test. Default: 0.
        #[serde(default)]
        embargo: usize,
    },
    /// Tests one after the other, each after its own training part. The last one ends with the last
    /// step.
    WalkForward {
        /// Number of tests, at least 1. Default with `first_test`: as many as fit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        folds: Option<usize>,
        /// Steps of a test, at least 1.
        test: usize,
        /// Steps from one test to the next, at least 1. Default: those of a test, so that every
        /// step is tested once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<usize>,
        /// The time from which the first test is, as in ISO 8601. Default: so that `folds` tests
        /// end with the last step.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        first_test: Option<String>,
        /// What is trained on. Default: everything before.
        #[serde(default)]
        train: TrainSpan,
        /// Steps between training and test, for early stopping. Default: 0, none.
        #[serde(default)]
        validation: usize,
        /// Steps left out before validation and before test. Default: 0.
        #[serde(default)]
        embargo: usize,
    },
}

fn tenth() -> SplitPart {
    SplitPart::Fraction(0.1)
}

fn fifth() -> SplitPart {
    SplitPart::Fraction(0.2)
}

impl Default for TimeSplit {
    /// The last fifth for the test, the tenth before it for validation.
    fn default() -> Self {
        Self::HoldOut {
            validation: tenth(),
            test: fifth(),
            embargo: 0,
        }
    }
}

/// Distinct observed times of all series, ascending.
fn steps(table: &SeriesTable) -> Vec<i64> {
    let times = table.series.iter().flat_map(|rows| &rows.times[..rows.end]);
    let mut times: Vec<i64> = times.copied().collect();
    times.sort_unstable();
    times.dedup();
    times
}

fn positive(field: &str, value: usize) -> Result<(), DataError> {
    if value > 0 {
        return Ok(());
    }
    Err(DataError::config(format!(
        "{field} = 0 is out of range: allowed from 1"
    )))
}

impl SplitPart {
    /// The step at which a part begins that ends before step `end`.
    fn start(
        &self,
        field: &str,
        table: &SeriesTable,
        steps: &[i64],
        end: usize,
    ) -> Result<usize, DataError> {
        match self {
            Self::Fraction(part) if (0.0..1.0).contains(part) => {
                Ok(end.saturating_sub((part * steps.len() as f64).round() as usize))
            }
            Self::Fraction(part) => Err(DataError::config(format!(
                "{field} has the fraction {part}: allowed 0 to below 1"
            ))),
            Self::Steps(count) => end.checked_sub(*count).ok_or_else(|| {
                DataError::config(format!(
                    "{field} has {count} steps, and there are {end} for it of {}",
                    steps.len()
                ))
            }),
            Self::From(time) => {
                let time = table.schema().time(time)?;
                Ok(steps.partition_point(|step| *step < time).min(end))
            }
        }
    }
}

impl TimeSplit {
    /// The rounds: one of a hold-out, all of a walk in order of time.
    ///
    /// # Errors
    /// - config: a field is out of range, named with the value and what is allowed
    /// - value: there are too few steps
    pub fn folds(&self, table: &SeriesTable) -> Result<Vec<Fold>, DataError> {
        let steps = steps(table);
        let n = steps.len();
        match self {
            Self::HoldOut {
                validation,
                test,
                embargo,
            } => {
                let test = test.start("test", table, &steps, n)?;
                let validation = validation.start("validation", table, &steps, test)?;
                let cut = Cut {
                    train: 0,
                    validation,
                    test,
                    end: n,
                    embargo: *embargo,
                };
                Ok(vec![cut.fold(&steps, table.schema())?])
            }
            Self::WalkForward {
                folds,
                test,
                step,
                first_test,
                train,
                validation,
                embargo,
            } => {
                positive("test", *test)?;
                let step = step.unwrap_or(*test);
                positive("step", step)?;
                if let TrainSpan::Rolling(span) = train {
                    positive("train.rolling", *span)?;
                }
                positive("folds", folds.unwrap_or(1))?;
                let (first, count) = match (first_test, folds) {
                    (None, None) => {
                        return Err(DataError::config(
                            "walk_forward needs folds, first_test, or both",
                        ));
                    }
                    (Some(time), folds) => {
                        let time = table.schema().time(time)?;
                        let first = steps.partition_point(|step| *step < time);
                        // A last test that has begun counts, however short.
                        let fit = (n - first).div_ceil(step);
                        if fit == 0 {
                            return Err(DataError::config(format!(
                                "first_test is after the last step, {}",
                                steps.last().map_or_else(String::new, |time| table
                                    .schema()
                                    .shown(Stamp::new(*time, 0)))
                            )));
                        }
                        (first, folds.map_or(fit, |folds| folds.min(fit)))
                    }
                    (None, Some(folds)) => {
                        let needed = (folds - 1)
                            .checked_mul(step)
                            .and_then(|steps| steps.checked_add(*test));
                        let first = needed.and_then(|needed| n.checked_sub(needed));
                        let first = first.ok_or_else(|| {
                            DataError::value(format!(
                                "{folds} tests of {test} steps, {step} from one to the next, need \
                                 more than the {n} steps there are: take fewer or shorter ones"
                            ))
                        })?;
                        (first, *folds)
                    }
                };
                (0..count)
                    .map(|fold| {
                        let test_start = first + fold * step;
                        let validation = test_start.checked_sub(*validation).ok_or_else(|| {
                            DataError::config(format!(
                                "validation has {validation} steps, and there are {test_start} \
                                 before the first test"
                            ))
                        })?;
                        let train_end = validation.saturating_sub(*embargo);
                        let train = match train {
                            TrainSpan::Expanding => 0,
                            TrainSpan::Rolling(span) => train_end.saturating_sub(*span),
                        };
                        Cut {
                            train,
                            validation,
                            test: test_start,
                            end: (test_start + test).min(n),
                            embargo: *embargo,
                        }
                        .fold(&steps, table.schema())
                    })
                    .collect()
            }
        }
    }
}
