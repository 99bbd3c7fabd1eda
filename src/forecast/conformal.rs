//! Intervals that hold what they promise, by what validation steps show.

use forge_data::Windows;
use forge_train::calibration::{conformal_rank, keep_rising};
use forge_train::metric::central_intervals;
use serde::{Deserialize, Serialize};

use super::evaluate::Judged;
use super::task::passes;
use super::{AdaptiveBands, AdaptiveConfig, FittedForecaster};
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

impl FittedForecaster {
    /// Calibrates the intervals on `windows`, which must be none of those that were learned from. Of
    /// fewer than `2/α` windows the interval `1 - α` is left as it is. Bands that follow what happens
    /// start anew from there.
    ///
    /// # Errors
    /// As [`forecast`](Self::forecast).
    pub fn calibrate(&mut self, windows: &Windows) -> Result<(), Error> {
        let adaptive = self.adaptive.as_ref().map(AdaptiveBands::config);
        self.calibrate_by(windows, true, adaptive)
    }

    pub(super) fn calibrate_by(
        &mut self,
        windows: &Windows,
        conformal: bool,
        adaptive: Option<AdaptiveConfig>,
    ) -> Result<(), Error> {
        (self.conformal, self.adaptive) = (None, None);
        let levels = self.levels();
        if levels.len() < 2 || windows.is_empty() || !(conformal || adaptive.is_some()) {
            return Ok(());
        }
        let mut errors = self.band_errors(windows)?;
        let pairs = central_intervals(&levels);
        let in_order = adaptive.map(|_| errors.clone()).unwrap_or_default();
        let reach = |(at, errors): (usize, &mut Vec<f32>)| {
            let alpha = 2.0 * levels[pairs[at % pairs.len()].0];
            let n = errors.len();
            let rank = conformal_rank(n, alpha).filter(|_| conformal && n as f64 >= 2.0 / alpha);
            rank.map_or(0.0, |rank| {
                errors.sort_unstable_by(f32::total_cmp);
                errors[rank - 1]
            })
        };
        let reach: Vec<f32> = errors.iter_mut().enumerate().map(reach).collect();
        if conformal {
            let cells = reach.len() / pairs.len().max(1);
            let mut offsets = vec![0.0; cells * levels.len()];
            for (at, reach) in reach.iter().enumerate() {
                let (cell, (low, high)) = (at / pairs.len(), pairs[at % pairs.len()]);
                offsets[cell * levels.len() + low] = -reach;
                offsets[cell * levels.len() + high] = *reach;
            }
            self.conformal = Some(ConformalOffsets {
                levels: levels.clone(),
                offsets,
                windows: windows.len(),
            });
        }
        if let Some(config) = adaptive {
            let after = last_outcome(windows);
            self.adaptive = Some(AdaptiveBands::new(config, levels, &in_order, reach, after));
        }
        Ok(())
    }

    /// How far outside each band what happened lay, `[H x N x P][windows]`; below 0 inside.
    fn band_errors(&self, windows: &Windows) -> Result<Vec<Vec<f32>>, Error> {
        let levels = self.levels();
        let pairs = central_intervals(&levels);
        let targets = windows.table().schema().config.targets.len();
        let cells = windows.config().horizon.count() * targets;
        let mut errors: Vec<Vec<f32>> = vec![Vec::new(); cells * pairs.len()];
        for rows in passes(windows) {
            let Some(judged) = self.judged(windows, &rows)? else {
                continue;
            };
            let Judged {
                said,
                target,
                present,
                ..
            } = judged;
            for (cell, quantiles) in said.quantiles.chunks_exact(levels.len()).enumerate() {
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
        Ok(errors)
    }
}

/// The time of the last forecast step of any window.
fn last_outcome(windows: &Windows) -> i64 {
    let ahead = windows.config().horizon.last();
    let time = |row: usize| {
        let place = windows.window(row);
        let times = windows.table().times(place.series);
        times.get(place.origin + ahead).copied()
    };
    (0..windows.len())
        .filter_map(time)
        .max()
        .unwrap_or(i64::MIN)
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
