//! Sums over forecasts, and the scores that they give.

use std::collections::BTreeMap;

use forge_nn::ForgeError;

use super::DirectionAccuracy;
use super::direction::DirectionCount;
use crate::loss::{check_quantiles, level_weights};
use crate::metric::central_intervals;

/// One forecast of one step of one target, and what happened.
#[derive(Debug, Clone, Copy)]
pub struct ForecastCell<'a> {
    /// When it was made: any number that grows with time.
    pub time: i64,
    /// What happened.
    pub actual: f64,
    /// What was said.
    pub point: f64,
    /// The quantiles that were said, one per level, or none.
    pub quantiles: &'a [f64],
    /// The last value that was known; NaN where there is none, and then there is no direction.
    pub last: f64,
    /// The mean error of repeating a value in training, which MASE divides by; NaN or 0 where there
    /// is none, and then the cell is not in it.
    pub naive_error: f64,
}

/// Adds up forecasts, step by step.
///
/// ```
/// use forge_train::metric::{ForecastCell, ForecastScorer};
///
/// let mut scorer = ForecastScorer::new(vec![1, 2], vec![0.1, 0.5, 0.9])?;
/// let cell = |actual, last| ForecastCell {
///     time: 0,
///     actual,
///     point: 1.0,
///     quantiles: &[0.0, 1.0, 2.0],
///     last,
///     naive_error: 0.5,
/// };
/// scorer.add(0, &cell(1.5, 0.0));
/// scorer.add(1, &cell(3.0, 2.0));
/// let scores = scorer.all();
/// assert_eq!((scores.mae, scores.mase, scores.count), (1.25, Some(2.5), 2));
/// assert_eq!(scores.intervals[0].coverage, 0.5);
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ForecastScorer {
    steps: Vec<usize>,
    levels: Vec<f64>,
    weights: Vec<f64>,
    sums: Vec<Sums>,
}

#[derive(Debug, Clone, Default)]
struct Sums {
    all: Losses,
    pinball: f64,
    /// By the time they were said at.
    times: BTreeMap<i64, Losses>,
    /// Of each interval from the outside in.
    inside: Vec<u64>,
    width: Vec<f64>,
    direction: DirectionCount,
}

/// Sums of losses.
#[derive(Debug, Clone, Copy, Default)]
struct Losses {
    count: u64,
    squared: f64,
    absolute: f64,
    scaled: f64,
    scaled_count: u64,
    crps: f64,
    /// NaN from the first value or forecast on that is not above 0.
    qlike: f64,
}

impl Losses {
    fn join(&mut self, other: &Self) {
        self.count += other.count;
        self.squared += other.squared;
        self.absolute += other.absolute;
        self.scaled += other.scaled;
        self.scaled_count += other.scaled_count;
        self.crps += other.crps;
        self.qlike += other.qlike;
    }

    /// Over that of repeating a value, of the cells where that is known.
    fn mean_scaled(&self) -> Option<f64> {
        (self.scaled_count > 0).then(|| self.scaled / self.scaled_count as f64)
    }
}

/// A loss that is kept for each time, to be compared pair by pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForecastLoss {
    /// The squared error.
    Squared,
    /// The absolute error over that of repeating a value in training, of the cells where that is given;
    /// where none is, the absolute error.
    Absolute,
    /// The CRPS of the quantiles.
    Crps,
    /// The quasi-likelihood of a variance, `y/f - ln(y/f) - 1` (Patton 2011).
    Qlike,
}

/// How often a central interval holds what happened, and how wide it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IntervalCoverage {
    /// The share that was asked for, 0.9 between the quantiles 0.05 and 0.95.
    pub share: f64,
    /// The share that was found, ends included.
    pub coverage: f64,
    /// Mean of upper minus lower end.
    pub width: f64,
}

/// Scores of one step, or of several together. In the unit of what was added.
#[derive(Debug, Clone, PartialEq)]
pub struct StepScores {
    /// Steps ahead; 0 for several together.
    pub step: usize,
    /// Forecasts that were compared.
    pub count: u64,
    /// Mean squared error.
    pub mse: f64,
    /// Mean absolute error.
    pub mae: f64,
    /// Mean absolute error over that of repeating a value in training (Hyndman and Koehler 2006);
    /// absent where none was given.
    pub mase: Option<f64>,
    /// Mean pinball loss over levels; absent without quantiles.
    pub pinball: Option<f64>,
    /// Continuous ranked probability score, from the quantiles; absent without.
    pub crps: Option<f64>,
    /// Mean quasi-likelihood, `y/f - ln(y/f) - 1`, of values and forecasts that are all above 0, as
    /// variances are; absent for others.
    pub qlike: Option<f64>,
    /// Central intervals, the widest first.
    pub intervals: Vec<IntervalCoverage>,
    /// How often it moved the right way; absent where no last value was given.
    pub direction: Option<DirectionAccuracy>,
}

impl ForecastScorer {
    /// For these steps ahead, ascending, and these quantile levels, rising, or none.
    ///
    /// # Errors
    /// A config error for levels that are no rising numbers in `(0, 1)`.
    pub fn new(steps: Vec<usize>, levels: Vec<f64>) -> Result<Self, ForgeError> {
        if !levels.is_empty() {
            check_quantiles("levels", &levels)?;
        }
        let n = pairs(&levels).len();
        let sums = Sums {
            inside: vec![0; n],
            width: vec![0.0; n],
            ..Sums::default()
        };
        Ok(Self {
            sums: vec![sums; steps.len()],
            weights: level_weights(&levels),
            steps,
            levels,
        })
    }

    /// The quantile levels.
    #[must_use]
    pub fn levels(&self) -> &[f64] {
        &self.levels
    }

    /// Adds a forecast of the step at place `step` of the list. One whose actual value is NaN is
    /// left out.
    ///
    /// # Panics
    /// If there is no such step, or there are other than one quantile per level.
    pub fn add(&mut self, step: usize, cell: &ForecastCell<'_>) {
        if cell.actual.is_nan() {
            return;
        }
        assert_eq!(cell.quantiles.len(), self.levels.len(), "one per level");
        let sums = &mut self.sums[step];
        let error = cell.point - cell.actual;
        let ratio = cell.actual / cell.point;
        let qlike = match cell.actual > 0.0 && cell.point > 0.0 {
            true => ratio - ratio.ln() - 1.0,
            false => f64::NAN,
        };
        let mut crps = 0.0;
        for ((quantile, level), weight) in
            cell.quantiles.iter().zip(&self.levels).zip(&self.weights)
        {
            let below = cell.actual - quantile;
            let loss = (level * below).max((level - 1.0) * below);
            sums.pinball += loss / self.levels.len() as f64;
            crps += 2.0 * weight * loss;
        }
        let scaled = match cell.naive_error > 0.0 {
            true => Some(error.abs() / cell.naive_error),
            false => None,
        };
        let losses = Losses {
            count: 1,
            squared: error * error,
            absolute: error.abs(),
            scaled: scaled.unwrap_or(0.0),
            scaled_count: u64::from(scaled.is_some()),
            crps,
            qlike,
        };
        sums.all.join(&losses);
        sums.times.entry(cell.time).or_default().join(&losses);
        for (i, (low, high, _)) in pairs(&self.levels).into_iter().enumerate() {
            let (low, high) = (cell.quantiles[low], cell.quantiles[high]);
            sums.inside[i] += u64::from((low..=high).contains(&cell.actual));
            sums.width[i] += high - low;
        }
        let (said, happened) = (cell.point - cell.last, cell.actual - cell.last);
        sums.direction.add(cell.time, said, happened);
    }

    /// Adds all that another has added.
    ///
    /// # Panics
    /// If it is for other steps or levels.
    pub fn join(&mut self, other: &Self) {
        assert_eq!((&self.steps, &self.levels), (&other.steps, &other.levels));
        for (sums, other) in self.sums.iter_mut().zip(&other.sums) {
            sums.join(other);
        }
    }

    /// The mean loss of each time at which the step at place `step` was forecast, in order of time:
    /// what [`DieboldMariano`](super::DieboldMariano) compares. Times without a cell that the loss is
    /// of are left out.
    ///
    /// # Panics
    /// If there is no such step.
    #[must_use]
    pub fn losses(&self, step: usize, loss: ForecastLoss) -> Vec<(i64, f64)> {
        let Sums { all, times, .. } = &self.sums[step];
        let mean = |losses: &Losses| {
            let n = losses.count as f64;
            match loss {
                ForecastLoss::Squared => Some(losses.squared / n),
                ForecastLoss::Absolute if all.scaled_count > 0 => losses.mean_scaled(),
                ForecastLoss::Absolute => Some(losses.absolute / n),
                ForecastLoss::Crps => Some(losses.crps / n),
                ForecastLoss::Qlike => Some(losses.qlike / n),
            }
        };
        let times = times.iter();
        times
            .filter_map(|(time, losses)| Some((*time, mean(losses)?)))
            .collect()
    }

    /// Scores of each step.
    #[must_use]
    pub fn by_step(&self) -> Vec<StepScores> {
        let steps = self.steps.iter().zip(&self.sums);
        steps
            .map(|(step, sums)| self.scores(sums, *step, step.saturating_sub(1)))
            .collect()
    }

    /// Scores of all steps together.
    #[must_use]
    pub fn all(&self) -> StepScores {
        let mut all = Sums {
            inside: vec![0; pairs(&self.levels).len()],
            width: vec![0.0; pairs(&self.levels).len()],
            ..Sums::default()
        };
        self.sums.iter().for_each(|sums| all.join(sums));
        let lag = self.steps.last().map_or(0, |step| step.saturating_sub(1));
        self.scores(&all, 0, lag)
    }

    fn scores(&self, sums: &Sums, step: usize, lag: usize) -> StepScores {
        let all = &sums.all;
        let n = all.count as f64;
        let quantiles = |sum: f64| (!self.levels.is_empty()).then_some(sum / n);
        let intervals = pairs(&self.levels).into_iter().enumerate();
        StepScores {
            step,
            count: all.count,
            mse: all.squared / n,
            mae: all.absolute / n,
            mase: all.mean_scaled(),
            pinball: quantiles(sums.pinball),
            crps: quantiles(all.crps),
            qlike: Some(all.qlike / n).filter(|qlike| qlike.is_finite()),
            intervals: intervals
                .map(|(i, (_, _, share))| IntervalCoverage {
                    share,
                    coverage: sums.inside[i] as f64 / n,
                    width: sums.width[i] / n,
                })
                .collect(),
            direction: sums.direction.finish(lag),
        }
    }
}

impl Sums {
    fn join(&mut self, other: &Self) {
        self.all.join(&other.all);
        self.pinball += other.pinball;
        for (time, losses) in &other.times {
            self.times.entry(*time).or_default().join(losses);
        }
        let inside = self.inside.iter_mut().zip(&other.inside);
        inside.for_each(|(sum, other)| *sum += other);
        let width = self.width.iter_mut().zip(&other.width);
        width.for_each(|(sum, other)| *sum += other);
        self.direction.join(&other.direction);
    }
}

/// Levels that are ends of a central interval, and its share; the widest first.
fn pairs(levels: &[f64]) -> Vec<(usize, usize, f64)> {
    let with_share = |(low, high): (usize, usize)| {
        // 1 - 2q with the rounding of the levels taken off.
        let share = ((1.0 - 2.0 * levels[low]) * 1e9).round() / 1e9;
        (low, high, share)
    };
    let central = central_intervals(levels).into_iter();
    central.map(with_share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::Normal;

    fn cell(actual: f64, quantiles: &[f64]) -> ForecastCell<'_> {
        ForecastCell {
            time: 0,
            actual,
            point: 0.0,
            quantiles,
            last: f64::NAN,
            naive_error: f64::NAN,
        }
    }

    #[test]
    fn crps_of_many_quantiles_is_that_of_the_normal_law() -> Result<(), ForgeError> {
        let levels: Vec<f64> = (1..2000).map(|i| f64::from(i) / 2000.0).collect();
        let normal: Vec<f64> = levels.iter().map(|q| Normal.quantile(*q)).collect();
        let mut scorer = ForecastScorer::new(vec![1], levels)?;
        scorer.add(0, &cell(0.3, &normal));
        let crps = scorer.all().crps.unwrap_or_default();
        let exact = Normal.crps(0.3);
        assert!((crps - exact).abs() < 2e-4, "{crps} {exact}");
        Ok(())
    }

    #[test]
    fn absolute_losses_of_a_time_are_of_one_unit() -> Result<(), ForgeError> {
        let mut scorer = ForecastScorer::new(vec![1], vec![])?;
        // Two series, of which one stood still in training: its errors have no unit of their own.
        for (time, naive_error) in [(0, 0.5), (0, 0.0), (1, f64::NAN)] {
            let cell = cell(2.0, &[]);
            scorer.add(
                0,
                &ForecastCell {
                    time,
                    naive_error,
                    ..cell
                },
            );
        }
        assert_eq!(scorer.losses(0, ForecastLoss::Absolute), [(0, 4.0)]);
        assert_eq!(
            scorer.losses(0, ForecastLoss::Squared),
            [(0, 4.0), (1, 4.0)]
        );
        let mut scorer = ForecastScorer::new(vec![1], vec![])?;
        scorer.add(0, &cell(2.0, &[]));
        assert_eq!(scorer.losses(0, ForecastLoss::Absolute), [(0, 2.0)]);
        Ok(())
    }

    #[test]
    fn what_was_not_observed_counts_nothing() -> Result<(), ForgeError> {
        let mut scorer = ForecastScorer::new(vec![1], vec![])?;
        scorer.add(0, &cell(2.0, &[]));
        scorer.add(0, &cell(f64::NAN, &[]));
        let scores = scorer.all();
        assert_eq!((scores.count, scores.mse, scores.crps), (1, 4.0, None));
        Ok(())
    }

    #[test]
    fn intervals_are_found_whatever_the_levels() -> Result<(), ForgeError> {
        let levels = vec![0.05, 0.1, 0.3, 0.5, 0.9, 0.95];
        let scorer = ForecastScorer::new(vec![1], levels)?;
        let shares: Vec<f64> = scorer.all().intervals.iter().map(|i| i.share).collect();
        assert_eq!(shares, [0.9, 0.8]);
        Ok(())
    }
}
