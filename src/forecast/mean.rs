//! From the middle of a forecast to its mean.

use forge_data::{Centre, ColumnScaler, SeriesTransform, WindowBatch, Windows};
use forge_train::distribution::log_mean_exp;
use serde::{Deserialize, Serialize};

use super::FittedForecaster;
use super::evaluate::Judged;
use super::task::passes;
use crate::Error;

/// What the single value of a forecast is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PointForecast {
    /// What the objective says: the median of quantiles; of a `regression` or `distribution` the mean
    /// on the model's scale turned back, which under a logarithm is near the median.
    #[default]
    Median,
    /// The mean, in the target's own units: what squared error and QLIKE ask for. The held-out steps
    /// say how far it is from the median ([`MeanCorrection`]).
    Mean,
    /// The mean, by the training steps and the held-out ones: of more windows, for small models. One
    /// that has learned its training windows by heart errs too little there, and its mean stays too
    /// near to the median.
    MeanByAll,
}

/// What makes the value of a forecast its mean, per step and target.
///
/// Of a target under a logarithm or as returns the forecast `f` is multiplied by the mean of `y/f`
/// over the validation windows, or all: the smearing estimate of Duan (1983), `exp(m) · mean(exp(e))` with `e`
/// the errors of logarithms. Of all factors it is the one whose QLIKE is smallest on these windows.
/// (Under `log1p`, `1 + y` and `1 + f` take the places of `y` and `f`.) To a target as it is, the mean
/// error on the model's scale is added. Quantiles stay as they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeanCorrection {
    /// `[H x N]`: logarithms of factors; of targets as they are, numbers on the model's scale.
    shifts: Vec<f64>,
    /// Windows that they were taken from.
    windows: usize,
}

impl MeanCorrection {
    /// Windows that it was taken from.
    #[must_use]
    pub fn windows(&self) -> usize {
        self.windows
    }

    /// What is added, `[H x N]`: to the logarithm of a forecast; of a target as it is, to the forecast
    /// on the model's scale.
    #[must_use]
    pub fn shifts(&self) -> &[f64] {
        &self.shifts
    }

    /// Checks that there is one for each step and target.
    pub(super) fn check(&self, cells: usize) -> Result<(), String> {
        if self.shifts.len() == cells && self.shifts.iter().all(|shift| shift.is_finite()) {
            return Ok(());
        }
        Err("the corrections to the mean do not fit the forecasts".into())
    }

    /// Moves the values `[B, H, N]` of a batch, which are on the model's scale.
    pub(super) fn apply(&self, windows: &Windows, batch: &WindowBatch, point: &mut [f32]) {
        let cells = self.shifts.len().max(1);
        for (window, series) in point.chunks_exact_mut(cells).zip(&batch.series) {
            let units = units(windows, *series);
            for ((value, shift), unit) in window.iter_mut().zip(&self.shifts).zip(units) {
                *value += (shift / unit.size) as f32;
            }
        }
    }
}

/// What one on the model's scale is of a step and target.
#[derive(Clone, Copy)]
pub(super) struct Unit {
    /// Whether it is a difference of logarithms.
    log: bool,
    pub(super) size: f64,
}

/// Of each step and target of a series, `[H x N]`.
pub(super) fn units(windows: &Windows, series: usize) -> Vec<Unit> {
    let table = windows.table();
    let id = &table.ids()[series];
    let targets = table.schema().config.targets.len();
    let columns = windows
        .scaler()
        .map_or(&[][..], |s| &s.columns()[..targets]);
    let unscaled = Unit {
        log: false,
        size: 1.0,
    };
    let of = |column: usize, step: usize| {
        let Some(column) = columns.get(column) else {
            return unscaled;
        };
        let spread = centre_of(column, id).spread;
        match column.transform {
            SeriesTransform::None => unscaled,
            SeriesTransform::Log | SeriesTransform::Log1p => Unit {
                log: true,
                size: spread,
            },
            SeriesTransform::Returns => Unit {
                log: true,
                size: spread * (step as f64).sqrt(),
            },
        }
    };
    let steps = windows.config().horizon.steps();
    steps
        .flat_map(|step| (0..targets).map(move |column| (column, step)))
        .map(|(column, step)| of(column, step))
        .collect()
}

/// How a series is centred and scaled: as all are where it has no scale of its own.
pub(super) fn centre_of(column: &ColumnScaler, id: &str) -> Centre {
    column.series.get(id).copied().unwrap_or(column.all)
}

impl FittedForecaster {
    /// Makes the value of a forecast its mean, by all windows of `parts`. Of windows that were learned
    /// from errors are smaller than of others. A step and target that none of them has stays as it is.
    ///
    /// # Errors
    /// As [`forecast`](Self::forecast).
    pub fn correct_mean(&mut self, parts: &[&Windows]) -> Result<(), Error> {
        self.mean = None;
        let Some(windows) = parts.first() else {
            return Ok(());
        };
        let targets = windows.table().schema().config.targets.len();
        let cells = windows.config().horizon.count() * targets;
        let mut errors: Vec<Vec<f64>> = vec![Vec::new(); cells];
        let mut log = vec![false; cells];
        let passes = |part: &&Windows| passes(part).collect::<Vec<_>>();
        let all = parts
            .iter()
            .flat_map(|part| passes(part).into_iter().map(move |rows| (*part, rows)));
        for (windows, rows) in all {
            let Some(judged) = self.judged(windows, &rows)? else {
                continue;
            };
            let Judged {
                batch,
                said,
                target,
                present,
            } = judged;
            for (b, series) in batch.series.iter().enumerate() {
                for (cell, unit) in units(windows, *series).into_iter().enumerate() {
                    let at = b * cells + cell;
                    log[cell] = unit.log;
                    let error = f64::from(target[at]) - f64::from(said.point[at]);
                    if present[at] && error.is_finite() {
                        errors[cell].push(error * unit.size);
                    }
                }
            }
        }
        let shift = |(errors, log): (&Vec<f64>, bool)| match (errors.len(), log) {
            (0, _) => 0.0,
            (_, true) => log_mean_exp(errors),
            (n, false) => errors.iter().sum::<f64>() / n as f64,
        };
        self.mean = Some(MeanCorrection {
            shifts: errors.iter().zip(log).map(shift).collect(),
            windows: parts.iter().map(|part| part.len()).sum(),
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_of_exponentials_does_not_overflow() {
        let small = log_mean_exp(&[0.5_f64.ln(), 1.5_f64.ln()]);
        assert!(small.abs() < 1e-15, "{small}");
        let large = log_mean_exp(&[1_000.0, 1_000.0]);
        assert!((large - 1_000.0).abs() < 1e-9, "{large}");
    }

    #[test]
    fn a_correction_that_does_not_fit_is_refused() {
        let correction = MeanCorrection {
            shifts: vec![0.1, 0.2],
            windows: 3,
        };
        assert!(correction.check(2).is_ok());
        assert!(correction.check(3).is_err());
        let broken = MeanCorrection {
            shifts: vec![f64::NAN],
            ..correction
        };
        assert!(broken.check(1).is_err());
    }
}
