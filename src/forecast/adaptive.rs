//! Bands that follow what happens.

use std::collections::BTreeMap;

use forge_nn::ForgeError;
use forge_train::calibration::keep_rising;
use forge_train::metric::central_intervals;
use serde::{Deserialize, Serialize};

use super::level_errors::LevelErrors;

/// What follows what happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdaptiveKind {
    /// How far the ends of a band reach (quantile tracking, Angelopoulos, Candès and Tibshirani 2023).
    #[default]
    Errors,
    /// At which level the errors are taken that bands reach as far as (adaptive conformal inference, Gibbs
    /// and Candès 2021).
    Level,
}

/// What follows what happens, and how fast.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdaptiveConfig {
    /// Default: `errors`.
    pub kind: AdaptiveKind,
    /// Of `errors`: how far an end moves, as a part of the mean deviation of the validation windows'
    /// errors, above 0, up to 10, default 0.5. Of `level`: by how much the level does, above 0, up to 1,
    /// default 0.005 (that of the paper).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
}

impl AdaptiveConfig {
    /// Of a kind, at its default rate.
    #[must_use]
    pub fn of(kind: AdaptiveKind) -> Self {
        Self { kind, rate: None }
    }

    /// The rate, or its default.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.rate.unwrap_or(match self.kind {
            AdaptiveKind::Errors => 0.5,
            AdaptiveKind::Level => 0.005,
        })
    }

    /// Checks the rate.
    ///
    /// # Errors
    /// A config error naming the field, its value and the allowed range.
    pub fn validate(&self) -> Result<(), ForgeError> {
        let (most, allowed) = match self.kind {
            AdaptiveKind::Errors => (10.0, "above 0, up to 10"),
            AdaptiveKind::Level => (1.0, "above 0, up to 1: a level is a share"),
        };
        let rate = self.rate();
        if rate > 0.0 && rate <= most {
            return Ok(());
        }
        Err(ForgeError::config("adaptive.rate", rate, allowed))
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
/// With [`AdaptiveKind::Level`] the level moves instead, `α_t` to `α_t + γ(α - miss)` (Gibbs and Candès
/// 2021, equation 2), and `r` is the `⌈(1 - α_t)(n + 1)⌉`-th smallest of the last `n` errors of the network's
/// own ends, those of the validation windows at first, [`MOST_ERRORS`](Self::MOST_ERRORS) at most: the
/// largest or smallest of them where the level leaves `[0, 1]`, for which the paper has bands without end
/// or none.
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
    /// Where the level of a series starts from, by [`AdaptiveKind::Level`]: errors, likewise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    errors: Vec<LevelErrors>,
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
    /// Of levels that move, likewise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    errors: Vec<LevelErrors>,
}

/// A band as it was said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SaidBand {
    /// Its ends.
    pub(super) ends: [f32; 2],
    /// Those of the network.
    pub(super) network: [f32; 2],
}

impl AdaptiveBands {
    /// Errors that a level is taken of at most, for each step, target and band.
    pub const MOST_ERRORS: usize = LevelErrors::MOST;

    /// From the errors `[H x N x P]` of the calibration windows in their order, whose last outcome was at
    /// `after`, and where the reach starts.
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
            (config.rate() * far.sum::<f64>() / n) as f32
        };
        let pairs = central_intervals(&levels);
        let level = |(at, errors): (usize, &Vec<f32>)| {
            LevelErrors::new(2.0 * levels[pairs[at % pairs.len()].0], errors)
        };
        let (of_level, start) = match config.kind {
            AdaptiveKind::Errors => (vec![], start),
            AdaptiveKind::Level => {
                let all: Vec<LevelErrors> = errors.iter().enumerate().map(level).collect();
                let reach = all.iter().map(LevelErrors::reach).collect();
                (all, reach)
            }
        };
        Self {
            unit: errors.iter().map(unit).collect(),
            errors: of_level,
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
        let of_level = |errors: &[LevelErrors]| match self.config.kind {
            AdaptiveKind::Errors => errors.is_empty(),
            AdaptiveKind::Level => errors.len() == size && errors.iter().all(LevelErrors::is_sound),
        };
        let series = series && self.series.values().all(|known| of_level(&known.errors));
        let fits = self.levels == levels
            && sound(&self.start)
            && sound(&self.unit)
            && series
            && of_level(&self.errors);
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

    /// Learns that `actual` happened where the bands of a cell were `said`.
    pub(super) fn learn(
        &mut self,
        series: &str,
        time: i64,
        cell: usize,
        actual: f32,
        said: &[SaidBand],
    ) {
        let known = self.series.entry(series.into()).or_insert_with(|| Reach {
            until: time,
            reach: self.start.clone(),
            errors: self.errors.clone(),
        });
        known.until = known.until.max(time);
        let pairs = central_intervals(&self.levels);
        for (p, ((low, _), band)) in pairs.iter().zip(said).enumerate() {
            let at = cell * pairs.len() + p;
            let alpha = 2.0 * self.levels[*low];
            let [from, to] = band.ends;
            let missed = !(from..=to).contains(&actual);
            if let Some(errors) = known.errors.get_mut(at) {
                let [from, to] = band.network;
                let error = (from - actual).max(actual - to);
                errors.learn(self.config.rate(), alpha, missed, error);
                known.reach[at] = errors.reach();
                continue;
            }
            let alpha = alpha as f32;
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
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The bound on the share of misses holds whatever happens: here errors that grow in jumps, and
    /// outcomes that choose the worse side.
    #[test]
    fn misses_are_as_many_as_promised_whatever_happens() {
        let config = AdaptiveConfig::default();
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
            let said = SaidBand {
                ends: [quantiles[0], quantiles[2]],
                network: [-1.0, 1.0],
            };
            misses += f64::from(u8::from(!(said.ends[0]..=said.ends[1]).contains(&actual)));
            bands.learn("a", t, 0, actual, &[said]);
        }
        let share = misses / outcomes as f64;
        let bound = (most + 1.0 + unit) / (unit * outcomes as f64);
        assert!(
            (share - 0.2).abs() <= bound,
            "{share} is not within {bound} of 0.2"
        );
    }

    #[derive(Deserialize)]
    struct Case {
        gamma: f64,
        calibration: Vec<f32>,
        outcomes: Vec<f32>,
        bands: Vec<CaseBand>,
    }

    #[derive(Deserialize)]
    struct CaseBand {
        alpha: f64,
        end: f32,
        reaches: Vec<f32>,
        misses: Vec<bool>,
    }

    /// Reaches and misses of a program of its own, `tests/cases/level_aci.py`: more than the errors that
    /// are kept never come there.
    #[test]
    fn levels_follow_as_gibbs_and_candes_have_them() {
        let case: Case =
            serde_json::from_str(include_str!("../../tests/cases/level_aci.json")).unwrap();
        let config = AdaptiveConfig {
            kind: AdaptiveKind::Level,
            rate: Some(case.gamma),
        };
        let [wide, narrow] = case.bands.as_slice() else {
            panic!("two bands");
        };
        assert_eq!([wide.alpha, narrow.alpha], [0.2, 0.5]);
        let errors = [wide, narrow].map(|band| {
            case.calibration
                .iter()
                .map(|y| y.abs() - band.end)
                .collect()
        });
        let levels = vec![0.1, 0.25, 0.75, 0.9];
        let mut bands = AdaptiveBands::new(config, levels, &errors, vec![0.0; 2], 0);
        assert!(bands.check(1, &[0.1, 0.25, 0.75, 0.9]).is_ok());
        for (t, actual) in case.outcomes.iter().enumerate() {
            let reach = bands.reach("a").to_vec();
            let said = [wide, narrow].map(|band| [-band.end, band.end]);
            let said: Vec<SaidBand> = said
                .iter()
                .zip(&reach)
                .map(|(network, reach)| SaidBand {
                    ends: [network[0] - reach, network[1] + reach],
                    network: *network,
                })
                .collect();
            for (p, band) in [wide, narrow].into_iter().enumerate() {
                assert!((reach[p] - band.reaches[t]).abs() < 1e-6, "{t} {p}");
                let missed = !(said[p].ends[0]..=said[p].ends[1]).contains(actual);
                assert_eq!(missed, band.misses[t], "{t} {p}");
            }
            bands.learn("a", t as i64, 0, *actual, &said);
        }
        // Another series has learned nothing of it.
        assert!((bands.reach("b")[0] - wide.reaches[0]).abs() < 1e-6);
        let text = serde_json::to_string(&bands).unwrap();
        assert_eq!(serde_json::from_str::<AdaptiveBands>(&text).unwrap(), bands);
    }
}
