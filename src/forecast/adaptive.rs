//! Bands that follow what happens.

use std::collections::BTreeMap;

use forge_nn::ForgeError;
use forge_train::metric::central_intervals;
use serde::{Deserialize, Serialize};

use super::conformal::keep_rising;

/// How fast bands follow what happens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdaptiveConfig {
    /// How far an end moves, as a part of the mean deviation of the validation windows' errors: above
    /// 0, up to 10. Default 0.5.
    pub rate: f64,
}

impl Default for AdaptiveConfig {
    fn default() -> Self {
        Self { rate: 0.5 }
    }
}

impl AdaptiveConfig {
    /// Checks the rate.
    ///
    /// # Errors
    /// A config error naming the field, its value and the allowed range.
    pub fn validate(&self) -> Result<(), ForgeError> {
        if self.rate > 0.0 && self.rate <= 10.0 {
            return Ok(());
        }
        Err(ForgeError::config(
            "adaptive.rate",
            self.rate,
            "above 0, up to 10",
        ))
    }
}

/// Bands whose ends move with every outcome, on the model's scale.
///
/// Of each series, step, target and band there is a reach `r`: the ends lie `r` outside those that the
/// network says. An outcome outside a band of `1 - α` moves it by `η(1 - α)`, one inside by `-ηα`; `r`
/// starts where [`ConformalOffsets`](super::ConformalOffsets) puts it. That is quantile tracking
/// (Angelopoulos, Candès and Tibshirani 2023, equation 4): the adaptive conformal inference of Gibbs and
/// Candès (2021) on the errors themselves instead of their level, so that no band is ever without end.
/// Whatever the series does, while errors stay within `b` of where `r` starts the share of misses in `T`
/// outcomes is within `(b + η)/(ηT)` of `α` (less where a band that has no width left still holds all).
///
/// A forecast `h` steps ahead is judged once its step has happened: it moves nothing before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdaptiveBands {
    config: AdaptiveConfig,
    /// Quantile levels, `Q`.
    levels: Vec<f64>,
    /// Where the reach of a series starts, `[H x N x P]`, the widest of `P` bands first.
    start: Vec<f32>,
    /// `η`, likewise.
    unit: Vec<f32>,
    /// The time of the last outcome that these were taken from, milliseconds since 1970-01-01 UTC.
    after: i64,
    /// Of each series that has learned more.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    series: BTreeMap<String, Reach>,
}

/// What a series has learned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reach {
    /// The time of the last outcome.
    until: i64,
    /// `[H x N x P]`.
    reach: Vec<f32>,
}

impl AdaptiveBands {
    /// From the errors `[H x N x P]` of the calibration windows, whose last outcome was at `after`, and
    /// where the reach starts.
    pub(super) fn new(
        config: AdaptiveConfig,
        levels: Vec<f64>,
        errors: &[Vec<f32>],
        start: Vec<f32>,
        after: i64,
    ) -> Self {
        let unit = |errors: &Vec<f32>| {
            let n = errors.len().max(1) as f64;
            let mean = errors.iter().map(|e| f64::from(*e)).sum::<f64>() / n;
            let far = errors.iter().map(|e| (f64::from(*e) - mean).abs());
            (config.rate * far.sum::<f64>() / n) as f32
        };
        Self {
            unit: errors.iter().map(unit).collect(),
            config,
            levels,
            start,
            after,
            series: BTreeMap::new(),
        }
    }

    /// How fast they follow.
    #[must_use]
    pub fn config(&self) -> AdaptiveConfig {
        self.config
    }

    /// The time of the last outcome that they were calibrated on.
    pub(super) fn after(&self) -> i64 {
        self.after
    }

    /// How far the ends of each step, target and band lie outside those that the network says, `[H x N
    /// x P]`, in a series; those that it starts from where it has learned nothing.
    #[must_use]
    pub fn reach(&self, series: &str) -> &[f32] {
        let learned = self.series.get(series);
        learned.map_or(&self.start, |known| &known.reach)
    }

    /// Checks that there is one for each of `cells` steps and targets, and band.
    pub(super) fn check(&self, cells: usize, levels: &[f64]) -> Result<(), String> {
        let size = cells * central_intervals(levels).len();
        let sound = |values: &[f32]| values.len() == size && values.iter().all(|v| v.is_finite());
        let series = self.series.values().all(|known| sound(&known.reach));
        let fits = self.levels == levels && sound(&self.start) && sound(&self.unit) && series;
        if fits && self.unit.iter().all(|unit| *unit >= 0.0) {
            return Ok(());
        }
        Err("the bands that follow do not fit the forecasts".into())
    }

    /// Moves the quantiles `[H x N x Q]` of a window of a series.
    pub(super) fn apply(&self, series: &str, quantiles: &mut [f32]) {
        let pairs = central_intervals(&self.levels);
        let cells = quantiles.chunks_exact_mut(self.levels.len());
        for (cell, reach) in cells.zip(self.reach(series).chunks_exact(pairs.len().max(1))) {
            for ((low, high), reach) in pairs.iter().zip(reach) {
                cell[*low] -= reach;
                cell[*high] += reach;
            }
            keep_rising(cell, &self.levels);
        }
    }

    /// The two ends of each band of each step and target, `[H x N x P]`, of quantiles `[H x N x Q]`.
    pub(super) fn ends(&self, quantiles: &[f32]) -> Vec<[f32; 2]> {
        let pairs = central_intervals(&self.levels);
        let cells = quantiles.chunks_exact(self.levels.len());
        let ends = cells.flat_map(|cell| pairs.iter().map(|(low, high)| [cell[*low], cell[*high]]));
        ends.collect()
    }

    /// Up to which outcome each series has learned.
    pub(super) fn learned(&self) -> BTreeMap<String, i64> {
        let each = self.series.iter();
        each.map(|(id, known)| (id.clone(), known.until)).collect()
    }

    /// Learns that `actual` happened where the bands of a cell were `ends`.
    pub(super) fn learn(
        &mut self,
        series: &str,
        time: i64,
        cell: usize,
        actual: f32,
        ends: &[[f32; 2]],
    ) {
        let known = self.series.entry(series.into()).or_insert_with(|| Reach {
            until: time,
            reach: self.start.clone(),
        });
        known.until = known.until.max(time);
        let pairs = central_intervals(&self.levels);
        for (p, ((low, _), [from, to])) in pairs.iter().zip(ends).enumerate() {
            let at = cell * pairs.len() + p;
            let alpha = (2.0 * self.levels[*low]) as f32;
            let missed = !(*from..=*to).contains(&actual);
            // What has no width is not narrowed: it would take as long to widen again.
            if missed {
                known.reach[at] += self.unit[at] * (1.0 - alpha);
            } else if from < to {
                known.reach[at] -= self.unit[at] * alpha;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bound on the share of misses holds whatever happens: here errors that grow in jumps, and
    /// outcomes that choose the worse side.
    #[test]
    fn misses_are_as_many_as_promised_whatever_happens() {
        let config = AdaptiveConfig { rate: 0.5 };
        let errors = [vec![-1.0, 0.0, 1.0]];
        let levels = vec![0.1, 0.5, 0.9];
        let mut bands = AdaptiveBands::new(config, levels, &errors, vec![0.0], 0);
        let unit = f64::from(bands.unit[0]);
        let most = 20.0;
        let (mut misses, outcomes) = (0.0, 4_000);
        for t in 0..outcomes {
            let mut quantiles = [-1.0, 0.0, 1.0];
            bands.apply("a", &mut quantiles);
            let actual = match t / 500 % 2 {
                0 => 0.1 * (t % 7) as f32,
                _ => 1.0 + (most as f32) * ((t % 11) as f32 / 11.0),
            };
            let ends = [quantiles[0], quantiles[2]];
            misses += f64::from(u8::from(!(ends[0]..=ends[1]).contains(&actual)));
            bands.learn("a", t, 0, actual, &[ends]);
        }
        let share = misses / outcomes as f64;
        let bound = (most + 1.0 + unit) / (unit * outcomes as f64);
        assert!(
            (share - 0.2).abs() <= bound,
            "{share} is not within {bound} of 0.2"
        );
    }
}
