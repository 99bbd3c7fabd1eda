//! How often a forecast moves the right way.

use std::collections::BTreeMap;

/// How often the sign of a forecast's change is that of the actual change, with its standard error.
///
/// Forecasts made at one time share what happened then, and those whose horizons overlap share
/// steps: the error is that of a ratio of sums over times, with the Newey–West weights up to the
/// horizon (Newey and West 1987), so that neither counts as more evidence than it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DirectionAccuracy {
    /// Share of right signs; changes of exactly 0, said or real, are left out.
    pub accuracy: f64,
    /// Its standard error; infinite where all was said at one time.
    pub standard_error: f64,
    /// Signs that were compared.
    pub count: u64,
}

impl DirectionAccuracy {
    /// The interval that holds the true share in 95 of 100 cases, `accuracy ± 1.96 errors`.
    #[must_use]
    pub fn interval(&self) -> (f64, f64) {
        let reach = 1.959_963_984_540_054 * self.standard_error;
        (self.accuracy - reach, self.accuracy + reach)
    }
}

/// Right signs and all signs by the time at which they were said.
#[derive(Debug, Clone, Default)]
pub(super) struct DirectionCount {
    times: BTreeMap<i64, (f64, f64)>,
}

impl DirectionCount {
    /// Signs of changes; 0 and what is not finite are left out.
    pub(super) fn add(&mut self, time: i64, said: f64, actual: f64) {
        let product = said * actual;
        if product == 0.0 || product.is_nan() {
            return;
        }
        let (right, all) = self.times.entry(time).or_default();
        *all += 1.0;
        if product > 0.0 {
            *right += 1.0;
        }
    }

    pub(super) fn join(&mut self, other: &Self) {
        for (time, (right, all)) in &other.times {
            let entry = self.times.entry(*time).or_default();
            entry.0 += right;
            entry.1 += all;
        }
    }

    /// With the correlation of the `lag` times before counted in.
    pub(super) fn finish(&self, lag: usize) -> Option<DirectionAccuracy> {
        let all: f64 = self.times.values().map(|(_, all)| all).sum();
        if all == 0.0 {
            return None;
        }
        let right: f64 = self.times.values().map(|(right, _)| right).sum();
        let accuracy = right / all;
        let residuals = self
            .times
            .values()
            .map(|(right, all)| right - accuracy * all);
        let residuals: Vec<f64> = residuals.collect();
        let n = residuals.len();
        let covariance = |lag: usize| -> f64 {
            let later = residuals.iter().skip(lag);
            residuals.iter().zip(later).map(|(a, b)| a * b).sum()
        };
        let lag = lag.min(n.saturating_sub(1));
        let mut variance = covariance(0);
        for k in 1..=lag {
            variance += 2.0 * (1.0 - k as f64 / (lag + 1) as f64) * covariance(k);
        }
        let standard_error = if n < 2 {
            f64::INFINITY
        } else {
            let small_sample = n as f64 / (n - 1) as f64;
            (variance.max(0.0) * small_sample).sqrt() / all
        };
        Some(DirectionAccuracy {
            accuracy,
            standard_error,
            count: all as u64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn independent_signs_have_the_binomial_error() {
        let mut count = DirectionCount::default();
        for time in 0..400 {
            count.add(time, 1.0, if time % 4 == 0 { -1.0 } else { 1.0 });
        }
        let found = count.finish(0);
        let error = (0.75_f64 * 0.25 / 399.0).sqrt();
        assert!(found.is_some_and(|d| (d.accuracy - 0.75).abs() < 1e-12
            && (d.standard_error - error).abs() < 1e-12
            && d.count == 400));
    }

    #[test]
    fn what_is_said_at_one_time_counts_once() {
        let (mut one, mut ten) = (DirectionCount::default(), DirectionCount::default());
        for time in 0..50 {
            let actual = if time % 3 == 0 { -1.0 } else { 1.0 };
            one.add(time, 1.0, actual);
            for _ in 0..10 {
                ten.add(time, 1.0, actual);
            }
        }
        let error = |count: &DirectionCount| count.finish(0).map(|d| d.standard_error);
        let (one, ten) = (error(&one), error(&ten));
        assert!(one.zip(ten).is_some_and(|(a, b)| (a - b).abs() < 1e-12));
    }

    #[test]
    fn zero_changes_are_left_out() {
        let mut count = DirectionCount::default();
        count.add(0, 0.0, 1.0);
        count.add(1, 1.0, 0.0);
        count.add(2, f64::NAN, 1.0);
        assert_eq!(count.finish(0), None);
    }
}
