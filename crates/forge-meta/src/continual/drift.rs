//! Where one task ends and another begins, found in the data.

use std::collections::VecDeque;
use std::ops::Range;

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

/// How a [`DriftDetector`] tests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DriftConfig {
    /// Values on each side of a possible boundary, at least 8.
    pub window: usize,
    /// The chance of a false alarm of one test, in `0.0..1.0` and above 0, for independent values of
    /// one continuous distribution.
    pub false_alarm: f64,
}

impl DriftConfig {
    /// Checks the fields.
    ///
    /// # Errors
    /// A config error that names the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("window", self.window, 8..=1_000_000)?;
        check::positive("false_alarm", self.false_alarm)?;
        check::in_range("false_alarm", self.false_alarm, 0.0..1.0)
    }

    /// The distance from which on two windows differ: `√(-½ ln(α/2)) √(2/n)`, the limit of
    /// Kolmogorov and Smirnov for two samples of `n`; for few values it is crossed less often than
    /// `α`.
    #[must_use]
    pub fn critical_distance(&self) -> f64 {
        (-0.5 * (0.5 * self.false_alarm).ln()).sqrt() * (2.0 / self.window as f64).sqrt()
    }
}

/// Finds boundaries between tasks in a stream of numbers (losses, or one input): the two-sample test
/// of Kolmogorov and Smirnov of the newest window against the first whole one since the last boundary.
///
/// A test is made each time that a window has filled, so that windows do not overlap and each test
/// has the stated chance of a false alarm.
///
/// ```
/// use forge_meta::continual::{DriftConfig, DriftDetector};
///
/// let config = DriftConfig { window: 50, false_alarm: 0.001 };
/// let mut detector = DriftDetector::new(config)?;
/// let stream = (0..400).map(|i| (i as f64 * 0.618).fract() + f64::from(i >= 230));
/// let found: Vec<usize> = stream
///     .enumerate()
///     .filter_map(|(i, value)| detector.push(value).transpose().map(|d| d.map(|_| i)))
///     .collect::<Result<_, _>>()?;
/// // In the window of 200 to 249, whose end it is told at.
/// assert_eq!(found, [249]);
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DriftDetector {
    config: DriftConfig,
    reference: Vec<f64>,
    newest: VecDeque<f64>,
}

/// That the newest window is of another distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drift {
    /// The largest distance between the two distribution functions, in `0.0..=1.0`.
    pub distance: f64,
}

impl DriftDetector {
    /// Before the first value.
    ///
    /// # Errors
    /// As [`DriftConfig::validate`].
    pub fn new(config: DriftConfig) -> Result<Self, ForgeError> {
        config.validate()?;
        Ok(Self {
            config,
            reference: vec![],
            newest: VecDeque::new(),
        })
    }

    /// Takes one value in; says so if with it a window has filled that is of another distribution.
    /// It may hold values of both sides, so the window after it is what later ones are compared with.
    ///
    /// # Errors
    /// A training error for a value that is not finite.
    pub fn push(&mut self, value: f64) -> Result<Option<Drift>, ForgeError> {
        if !value.is_finite() {
            return Err(ForgeError::training(format!(
                "a drift test was given {value}; values must be finite"
            )));
        }
        if self.reference.len() < self.config.window {
            self.reference.push(value);
            return Ok(None);
        }
        self.newest.push_back(value);
        if self.newest.len() < self.config.window {
            return Ok(None);
        }
        let newest: Vec<f64> = std::mem::take(&mut self.newest).into();
        let distance = distance(&self.reference, &newest);
        if distance <= self.config.critical_distance() {
            return Ok(None);
        }
        // The window may hold values of both sides: what comes next is compared with what comes after it.
        self.reference.clear();
        Ok(Some(Drift { distance }))
    }
}

/// The places of a stream cut into tasks where its values drift, for
/// [`ContinualTask::task_rows`](super::ContinualTask::task_rows): one range if they never do.
///
/// A boundary is put to that place of the window in which a [`DriftDetector`] finds a drift where the values
/// before it (as far as two windows before) and those from it on are farthest apart, `D √(mn/(m + n))`. What changes
/// within less than a window of the stream's beginning, of its end or of another boundary is not found.
///
/// ```
/// use forge_meta::continual::{DriftConfig, tasks_by_drift};
///
/// let stream: Vec<f64> = (0..400).map(|i| (i as f64 * 0.618).fract() + f64::from(i >= 230)).collect();
/// let config = DriftConfig { window: 50, false_alarm: 0.001 };
/// assert_eq!(tasks_by_drift(&stream, &config)?, [0..230, 230..400]);
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
///
/// # Errors
/// As [`DriftConfig::validate`]; a training error for a value that is not finite, with its place.
pub fn tasks_by_drift(
    values: &[f64],
    config: &DriftConfig,
) -> Result<Vec<Range<usize>>, ForgeError> {
    let mut detector = DriftDetector::new(config.clone())?;
    let window = config.window;
    let (mut tasks, mut first, mut reference) = (vec![], 0, 0);
    for (place, value) in values.iter().enumerate() {
        let drift = detector.push(*value).map_err(|error| {
            ForgeError::training(format!("value {place} of the stream: {error}"))
        })?;
        if drift.is_none() {
            continue;
        }
        let start = place + 1 - window;
        let begin = start.saturating_sub(2 * window).max(reference);
        // What drifted at the end of the window before may not have been enough to be found there.
        let tried = start - window / 2 - begin;
        let boundary = begin + boundary(&values[begin..=place], tried, window);
        tasks.push(first..boundary);
        (first, reference) = (boundary, place + 1);
    }
    if first < values.len() {
        tasks.push(first..values.len());
    }
    Ok(tasks)
}

/// Most places that are tried within a window.
const PLACES: usize = 256;

/// The place from `first` on that parts the values best.
fn boundary(values: &[f64], first: usize, window: usize) -> usize {
    let contrast = |place: &usize| {
        let (before, after) = values.split_at(*place);
        let (m, n) = (before.len() as f64, after.len() as f64);
        distance(before, after) * (m * n / (m + n)).sqrt()
    };
    let places = (first..values.len()).step_by(window.div_ceil(PLACES));
    let best = places.max_by(|a, b| contrast(a).total_cmp(&contrast(b)));
    best.unwrap_or(first)
}

/// `sup |F_a - F_b|` of two samples.
fn distance(a: &[f64], b: &[f64]) -> f64 {
    let sorted = |values: &[f64]| {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        values
    };
    let (a, b) = (sorted(a), sorted(b));
    let (mut i, mut j, mut largest) = (0, 0, 0.0f64);
    while i < a.len() && j < b.len() {
        let at = a[i].min(b[j]);
        i += a[i..].iter().take_while(|value| **value <= at).count();
        j += b[j..].iter().take_while(|value| **value <= at).count();
        let way = i as f64 / a.len() as f64 - j as f64 / b.len() as f64;
        largest = largest.max(way.abs());
    }
    largest
}
