//! How good a baseline is.

use forge_data::{Fold, SeriesScaler, SeriesTransform, Windows};
use forge_nn::ForgeError;
use forge_train::metric::{ForecastCell, ForecastScorer};

use super::SeriesBaseline;
use super::errors::StepErrors;
use crate::Error;
use crate::forecast::ForecastScore;
use crate::forecast::evaluate::{actual, naive_errors};

/// Windows that a baseline is asked for at once: a regression is fitted anew for each.
const PER_ASK: usize = 1 << 16;

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
    let steps: Vec<usize> = windows.config().horizon.steps().collect();
    let mut errors = StepErrors::new(steps.len());
    let calibration = fold.validation.unwrap_or(fold.train);
    each(baseline, &windows.within(&calibration), &naive, |cell| {
        errors.add(cell.step, (cell.actual - cell.said) / cell.naive);
    })?;
    let spread = errors.quantiles(levels);
    let mut score = ForecastScore {
        own: ForecastScorer::new(steps.clone(), levels.to_vec())?,
        scaled: ForecastScorer::new(steps, levels.to_vec())?,
    };
    let unit = |value: f64, cell: &Cell| match windows.scaler() {
        Some(scaler) => scaled(scaler, value, cell.id, cell.target),
        None => value,
    };
    each(baseline, &test, &naive, |cell| {
        let q = levels.len();
        let of_step = &spread[cell.step * q..(cell.step + 1) * q];
        let quantiles: Vec<f64> = of_step.iter().map(|e| cell.said + e * cell.naive).collect();
        let own = ForecastCell {
            time: cell.time,
            actual: cell.actual,
            point: cell.said,
            quantiles: &quantiles,
            last: cell.last,
            naive_error: cell.naive,
        };
        score.own.add(cell.step, &own);
        let scaled: Vec<f64> = quantiles.iter().map(|v| unit(*v, &cell)).collect();
        let scaled = ForecastCell {
            actual: unit(cell.actual, &cell),
            point: unit(cell.said, &cell),
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
}

/// Hands every observed step and target of `windows` to `take`.
fn each(
    baseline: &dyn SeriesBaseline,
    windows: &Windows,
    naive: &[f64],
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
                    last: values[window.origin],
                    naive: naive[window.series * n + target],
                });
            }
        }
    }
    Ok(())
}

/// A target's value on the model's scale; NaN under a transform, whose scale depends on the step.
fn scaled(scaler: &SeriesScaler, value: f64, id: &str, target: usize) -> f64 {
    let column = &scaler.columns()[target];
    let centre = column.series.get(id).unwrap_or(&column.all);
    match column.transform {
        SeriesTransform::None => (value - centre.centre) / centre.spread,
        _ => f64::NAN,
    }
}
