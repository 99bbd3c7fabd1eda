//! From a baseline's points to the quantiles or distributions that an objective scores.

use std::sync::atomic::AtomicBool;

use forge_nn::ForgeError;
use forge_train::objective::{Family, ObjectiveConfig, Predictions, Targets};

use super::target_unit::TargetUnit;
use super::{DenseColumns, NumberBaseline, all_finite};
use crate::Error;

/// One row in so many is held out of the fit for its residual.
const HELD_OUT: usize = 5;

/// Smallest spread, as a share of the target's: a baseline without residuals has a likelihood still.
const FLOOR: f64 = 1e-4;

/// Predictions of all target columns, one after the other.
///
/// # Errors
/// As the baseline's own; a training error for too few rows to have residuals, or predictions that are
/// not finite.
pub(super) fn predictions(
    baseline: &dyn NumberBaseline,
    objective: &ObjectiveConfig,
    train: &DenseColumns,
    target: &Targets,
    weights: Option<&[f64]>,
    test: &DenseColumns,
    stop: &AtomicBool,
) -> Result<Predictions, Error> {
    let slots = target.slots();
    let columns: Vec<Vec<f64>> = (0..slots).map(|slot| target.column(slot)).collect();
    let fit = |y: &Vec<f64>| Points::fit(baseline, train, y, weights, test, stop);
    match objective {
        ObjectiveConfig::Quantiles(wanted) => {
            let each = columns.iter().map(fit).collect::<Result<Vec<_>, _>>()?;
            let levels = &wanted.quantiles;
            Ok(Predictions::Quantiles {
                slots,
                quantiles: levels.clone(),
                values: interleave(&each, |points, row| {
                    let shifts = levels.iter().map(|q| points.residual(*q));
                    shifts.map(|shift| points.test[row] + shift).collect()
                }),
            })
        }
        ObjectiveConfig::Distribution(_) | ObjectiveConfig::Bars(_) => {
            let each = columns.iter().map(fit).collect::<Result<Vec<_>, _>>()?;
            Ok(Predictions::Distribution {
                slots,
                family: Family::Gaussian,
                mean: interleave(&each, |points, row| vec![points.test[row]]),
                std: interleave(&each, |points, _| vec![points.spread]),
                df: Vec::new(),
                epistemic: Vec::new(),
            })
        }
        _ => {
            let one = |y: &Vec<f64>| -> Result<Vec<f64>, Error> {
                let unit = TargetUnit::of(y);
                let z = unit.standardised(y);
                let predicted = finite(baseline, train, &z, weights, test, stop)?;
                Ok(predicted.into_iter().map(|z| unit.value(z)).collect())
            };
            let each = columns.iter().map(one).collect::<Result<Vec<_>, _>>()?;
            Ok(Predictions::Values {
                slots,
                values: interleave(&each, |points, row| vec![points[row]]),
            })
        }
    }
}

/// The baseline's predictions, unless one of them is no number.
fn finite(
    baseline: &dyn NumberBaseline,
    train: &DenseColumns,
    target: &[f64],
    weights: Option<&[f64]>,
    test: &DenseColumns,
    stop: &AtomicBool,
) -> Result<Vec<f64>, Error> {
    let predicted = baseline.fit_predict(train, target, weights, test, stop)?;
    all_finite(baseline.name(), &predicted)?;
    Ok(predicted)
}

/// Row by row, slot by slot.
fn interleave<P: Rows>(each: &[P], of: impl Fn(&P, usize) -> Vec<f64>) -> Vec<f64> {
    let rows = each.first().map_or(0, Rows::rows);
    let row = |row: usize| {
        each.iter()
            .flat_map(|points| of(points, row))
            .collect::<Vec<_>>()
    };
    (0..rows).flat_map(row).collect()
}

trait Rows {
    fn rows(&self) -> usize;
}

impl Rows for Vec<f64> {
    fn rows(&self) -> usize {
        self.len()
    }
}

/// Predictions of the test rows and how far off those of held-out rows were.
struct Points {
    test: Vec<f64>,
    /// Rising.
    residuals: Vec<f64>,
    /// Their root mean square, with a floor.
    spread: f64,
}

impl Rows for Points {
    fn rows(&self) -> usize {
        self.test.len()
    }
}

impl Points {
    fn fit(
        baseline: &dyn NumberBaseline,
        train: &DenseColumns,
        target: &[f64],
        weights: Option<&[f64]>,
        test: &DenseColumns,
        stop: &AtomicBool,
    ) -> Result<Self, Error> {
        if target.len() < HELD_OUT {
            return Err(ForgeError::training(format!(
                "baseline '{}': {} training rows, at least {HELD_OUT} are needed for residuals",
                baseline.name(),
                target.len()
            ))
            .into());
        }
        let unit = TargetUnit::of(target);
        let target = unit.standardised(target);
        let held_out = |row: usize| row % HELD_OUT == HELD_OUT - 1;
        let kept = |values: &[f64]| -> Vec<f64> {
            let rows = values.iter().enumerate().filter(|(row, _)| !held_out(*row));
            rows.map(|(_, v)| *v).collect()
        };
        let weights = weights.map(kept);
        let mut predicted = finite(
            baseline,
            &train.filter(|row| !held_out(row)),
            &kept(&target),
            weights.as_deref(),
            &train.filter(held_out).followed_by(test),
            stop,
        )?;
        let actual = target.iter().skip(HELD_OUT - 1).step_by(HELD_OUT);
        let mut residuals: Vec<f64> = actual.zip(&predicted).map(|(y, p)| y - p).collect();
        residuals.sort_by(f64::total_cmp);
        let root_mean_square = |values: &mut dyn Iterator<Item = f64>, n: usize| {
            (values.map(|v| v * v).sum::<f64>() / n as f64).sqrt()
        };
        let mean = target.iter().sum::<f64>() / target.len() as f64;
        let scale = root_mean_square(&mut target.iter().map(|y| y - mean), target.len());
        let spread = root_mean_square(&mut residuals.iter().copied(), residuals.len());
        let floor = if scale > 0.0 { FLOOR * scale } else { FLOOR };
        let test = predicted.split_off(residuals.len());
        let in_unit = |z: f64| unit.difference(z);
        Ok(Self {
            test: test.into_iter().map(|z| unit.value(z)).collect(),
            residuals: residuals.into_iter().map(in_unit).collect(),
            spread: in_unit(spread.max(floor)),
        })
    }

    /// The quantile `q` of the residuals, by linear interpolation between them.
    fn residual(&self, q: f64) -> f64 {
        let at = q * (self.residuals.len() - 1) as f64;
        let (low, high) = (at.floor() as usize, at.ceil() as usize);
        let share = at - low as f64;
        self.residuals[low] * (1.0 - share) + self.residuals[high] * share
    }
}
