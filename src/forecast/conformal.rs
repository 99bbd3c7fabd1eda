//! Intervals that hold what they promise, by what validation steps show.

use forge_data::Windows;
use forge_train::calibration::conformal_rank;
use forge_train::metric::central_intervals;
use serde::{Deserialize, Serialize};

use super::FittedForecaster;
use super::task::{observed, on_host, passes};
use crate::Error;

/// What is added to each quantile of each step and target, on the model's scale.
///
/// Conformalised quantile regression (Romano, Patterson and Candès 2019, eq. 6 to 8) per step and
/// target: of the interval between the quantiles `α/2` and `1 - α/2`, `E = max(q_lo - y, y - q_hi)`
/// of each calibration window; both ends move out by the `⌈(1 - α)(n + 1)⌉`-th smallest `E`, in if it
/// is negative. Where windows could be exchanged for each other the interval then holds at least
/// `1 - α`; those of a series cannot, so it is what was measured, not a promise. Quantiles that
/// would cross are made equal. The median stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConformalOffsets {
    /// Quantile levels, `Q`.
    levels: Vec<f64>,
    /// `[H x N x Q]`.
    offsets: Vec<f32>,
    /// Windows that they were taken from.
    windows: usize,
}

impl ConformalOffsets {
    /// Windows that they were taken from.
    #[must_use]
    pub fn windows(&self) -> usize {
        self.windows
    }

    /// What is added, `[H x N x Q]`, on the model's scale.
    #[must_use]
    pub fn offsets(&self) -> &[f32] {
        &self.offsets
    }

    /// Checks that there is one for each cell and level.
    pub(super) fn check(&self, cells: usize, levels: &[f64]) -> Result<(), String> {
        let fits = self.offsets.len() == cells * levels.len() && self.levels == levels;
        if fits && self.offsets.iter().all(|o| o.is_finite()) {
            return Ok(());
        }
        Err("the offsets of intervals do not fit the forecasts".into())
    }

    /// Moves the quantiles `[B, H, N, Q]` of windows of `cells` steps and targets.
    pub(super) fn apply(&self, quantiles: &mut [f32], cells: usize) {
        let q = self.levels.len();
        for window in quantiles.chunks_exact_mut(cells * q) {
            let moved = window.iter_mut().zip(&self.offsets);
            moved.for_each(|(quantile, offset)| *quantile += offset);
            for cell in window.chunks_exact_mut(q) {
                keep_rising(cell, &self.levels);
            }
        }
    }
}

/// Lifts or lowers what crosses to what is nearer to the median.
fn keep_rising(cell: &mut [f32], levels: &[f64]) {
    let middle = levels.partition_point(|level| *level < 0.5);
    for k in middle + 1..cell.len() {
        cell[k] = cell[k].max(cell[k - 1]);
    }
    for k in (0..middle).rev() {
        if let Some(above) = cell.get(k + 1).copied() {
            cell[k] = cell[k].min(above);
        }
    }
}

impl FittedForecaster {
    /// Calibrates the intervals on `windows`, which must be none of those that were learned from. Of
    /// fewer than `2/α` windows the interval `1 - α` is left as it is.
    ///
    /// # Errors
    /// As [`forecast`](Self::forecast).
    pub fn calibrate(&mut self, windows: &Windows) -> Result<(), Error> {
        let levels = self.levels();
        let q = levels.len();
        self.conformal = None;
        if q < 2 || windows.is_empty() {
            return Ok(());
        }
        let targets = windows.table().schema().config.targets.len();
        let cells = windows.config().horizon.count() * targets;
        let pairs = central_intervals(&levels);
        let mut errors: Vec<Vec<f32>> = vec![Vec::new(); cells * pairs.len()];
        for rows in passes(windows) {
            let batch = windows.batch(&rows, &self.device)?;
            let said = self.say(windows, &batch)?;
            let Some(target) = batch.target.clone() else {
                continue;
            };
            let target = on_host(target)?;
            let present = observed(&batch)?;
            for (cell, quantiles) in said.quantiles.chunks_exact(q).enumerate() {
                if !present[cell] {
                    continue;
                }
                for (p, (low, high)) in pairs.iter().enumerate() {
                    let y = target[cell];
                    let error = (quantiles[*low] - y).max(y - quantiles[*high]);
                    errors[(cell % cells) * pairs.len() + p].push(error);
                }
            }
        }
        let mut offsets = vec![0.0; cells * q];
        for (at, errors) in errors.iter_mut().enumerate() {
            let (cell, (low, high)) = (at / pairs.len(), pairs[at % pairs.len()]);
            let alpha = 2.0 * levels[low];
            let n = errors.len();
            if (n as f64) < 2.0 / alpha {
                continue;
            }
            let Some(rank) = conformal_rank(n, alpha) else {
                continue;
            };
            errors.sort_unstable_by(f32::total_cmp);
            let reach = errors[rank - 1];
            offsets[cell * q + low] = -reach;
            offsets[cell * q + high] = reach;
        }
        self.conformal = Some(ConformalOffsets {
            levels,
            offsets,
            windows: windows.len(),
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_that_would_cross_are_made_equal() {
        let offsets = ConformalOffsets {
            levels: vec![0.1, 0.5, 0.9],
            offsets: vec![2.0, 0.0, -2.0],
            windows: 1,
        };
        let mut quantiles = vec![-1.0, 0.0, 1.0, -5.0, 0.0, 5.0];
        offsets.apply(&mut quantiles, 1);
        assert_eq!(quantiles, [0.0, 0.0, 0.0, -3.0, 0.0, 3.0]);
    }
}
