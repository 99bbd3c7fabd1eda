//! How good a baseline is.

use forge_data::{Centre, Fold, SeriesTransform, Windows};
use forge_nn::ForgeError;
use forge_train::metric::{ForecastCell, ForecastScorer};

use super::errors::StepErrors;
use super::{SeriesBaseline, last};
use crate::Error;
use crate::forecast::ForecastScore;
use crate::forecast::evaluate::{actual, naive_errors};
use crate::forecast::mean::centre_of;

/// Windows that a baseline is asked for at once.
const PER_ASK: usize = 1 << 12;

/// Fits `baseline` in a round and scores it on the round's test windows. `windows` are all of the
/// table, scaled by the round's training steps.
///
/// # Errors
/// If the baseline cannot be fitted; a config error for a round without a test part.
pub fn score(
    baseline: &mut dyn SeriesBaseline,
    windows: &Windows,
    fold: &Fold,
    levels: &[f64],
) -> Result<ForecastScore, Error> {
    let none = || ForgeError::config("split", "without a test part", "one with a test part");
    let test = windows.within(&fold.test.ok_or_else(none)?);
    baseline.fit(&windows.within(&fold.train), &fold.train)?;
    let table = windows.table();
    let naive = naive_errors(table, &fold.train)?;
    let units = units(&naive, table.schema().config.targets.len());
    let steps: Vec<usize> = windows.config().horizon.steps().collect();
    let mut errors = StepErrors::new(steps.len());
    let calibration = fold.validation.unwrap_or(fold.train);
    each(
        baseline,
        &windows.within(&calibration),
        [&naive, &units],
        |cell| {
            errors.add(
                cell.step,
                Unit::of(windows, &cell).error(cell.actual, cell.said),
            );
        },
    )?;
    let spread = errors.quantiles(levels);
    let mut score = ForecastScore {
        own: ForecastScorer::new(steps.clone(), levels.to_vec())?,
        scaled: ForecastScorer::new(steps, levels.to_vec())?,
        fixed: None,
    };
    each(baseline, &test, [&naive, &units], |cell| {
        let q = levels.len();
        let of_step = &spread[cell.step * q..(cell.step + 1) * q];
        let unit = Unit::of(windows, &cell);
        let quantiles: Vec<f64> = of_step.iter().map(|e| unit.moved(cell.said, *e)).collect();
        let own = ForecastCell {
            time: cell.time,
            actual: cell.actual,
            point: cell.said,
            quantiles: &quantiles,
            last: cell.last,
            naive_error: cell.naive,
        };
        score.own.add(cell.step, &own);
        let scaled: Vec<f64> = quantiles.iter().map(|v| unit.scaled(*v)).collect();
        let scaled = ForecastCell {
            actual: unit.scaled(cell.actual),
            point: unit.scaled(cell.said),
            quantiles: &scaled,
            last: f64::NAN,
            naive_error: f64::NAN,
            ..own
        };
        score.scaled.add(cell.step, &scaled);
    })?;
    Ok(score)
}

/// One forecast of a baseline.
struct Cell<'a> {
    step: usize,
    target: usize,
    id: &'a str,
    time: i64,
    said: f64,
    actual: f64,
    last: f64,
    naive: f64,
    /// What its errors are measured in.
    unit: f64,
}

/// What errors of a series' target are measured in: what it moves by in a step of training; of one that is not
/// there yet or stands still, what the others move by on average, or 1 where none moves.
fn units(naive: &[f64], targets: usize) -> Vec<f64> {
    let moves = |error: &f64| error.is_finite() && *error > 0.0;
    let average = |target: usize| {
        let of_target = naive.iter().skip(target).step_by(targets);
        let moving: Vec<f64> = of_target.copied().filter(moves).collect();
        match moving.is_empty() {
            true => 1.0,
            false => moving.iter().sum::<f64>() / moving.len() as f64,
        }
    };
    let averages: Vec<f64> = (0..targets).map(average).collect();
    let places = naive.iter().enumerate();
    places
        .map(|(place, error)| match moves(error) {
            true => *error,
            false => averages[place % targets],
        })
        .collect()
}

/// Hands every observed step and target of `windows` to `take`.
fn each(
    baseline: &dyn SeriesBaseline,
    windows: &Windows,
    [naive, units]: [&[f64]; 2],
    mut take: impl FnMut(Cell<'_>),
) -> Result<(), Error> {
    let table = windows.table();
    let n = table.schema().config.targets.len();
    let steps = windows.config().horizon.count();
    for start in (0..windows.len()).step_by(PER_ASK) {
        let rows: Vec<usize> = (start..(start + PER_ASK).min(windows.len())).collect();
        let said = baseline.forecast(windows, &rows)?;
        let actual = actual(windows, &rows)?;
        for (b, row) in rows.iter().enumerate() {
            let window = windows.window(*row);
            let of_window = b * steps * n..(b + 1) * steps * n;
            for cell in of_window {
                let (step, target) = (cell % (steps * n) / n, cell % n);
                if actual[cell].is_nan() {
                    continue;
                }
                let name = &table.schema().config.targets[target];
                let values = table.column(window.series, name)?;
                take(Cell {
                    step,
                    target,
                    id: &table.ids()[window.series],
                    time: window.time,
                    said: said[cell],
                    actual: actual[cell],
                    last: last(values, window.origin),
                    naive: naive[window.series * n + target],
                    unit: units[window.series * n + target],
                });
            }
        }
    }
    Ok(())
}

/// What errors of a target are measured in.
#[derive(Clone, Copy)]
struct Unit {
    transform: SeriesTransform,
    centre: Centre,
    unit: f64,
}

impl Unit {
    fn of(windows: &Windows, cell: &Cell<'_>) -> Self {
        let column = windows.scaler().map(|s| &s.columns()[cell.target]);
        Self {
            transform: column.map_or(SeriesTransform::None, |c| c.transform),
            centre: column.map(|c| centre_of(c, cell.id)).unwrap_or_default(),
            unit: cell.unit,
        }
    }

    /// Of a target that is taken as it is: as a part of what its series moves in a step. Of one under
    /// a logarithm, or of prices: the logarithm of what happened over what was said.
    fn error(&self, actual: f64, said: f64) -> f64 {
        match self.transform {
            SeriesTransform::None => (actual - said) / self.unit,
            SeriesTransform::Log | SeriesTransform::Returns => (actual / said).ln(),
            SeriesTransform::Log1p => actual.ln_1p() - said.ln_1p(),
        }
    }

    /// A forecast moved by such an error.
    fn moved(&self, said: f64, error: f64) -> f64 {
        match self.transform {
            SeriesTransform::None => said + error * self.unit,
            SeriesTransform::Log | SeriesTransform::Returns => said * error.exp(),
            SeriesTransform::Log1p => (said.ln_1p() + error).exp_m1(),
        }
    }

    /// A value on the model's scale; NaN for returns, whose scale depends on the step and on the
    /// last value.
    fn scaled(&self, value: f64) -> f64 {
        let value = match self.transform {
            SeriesTransform::None => value,
            SeriesTransform::Log => value.ln(),
            SeriesTransform::Log1p => value.ln_1p(),
            SeriesTransform::Returns => return f64::NAN,
        };
        (value - self.centre.centre) / self.centre.spread
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_that_is_not_there_yet_is_measured_as_the_others_are() {
        // Three series of two targets; the second series begins after the training, the third stands still.
        let found = units(&[2.0, 10.0, f64::NAN, f64::NAN, 0.0, 30.0], 2);
        assert_eq!(found, [2.0, 10.0, 2.0, 20.0, 2.0, 30.0]);
        assert_eq!(units(&[f64::NAN], 1), [1.0]);
    }
}
