//! Cosines that share a run evenly.

use forge_nn::ForgeError;
use serde::{Deserialize, Serialize};

use super::curve::{Curve, base_and_min, cosine, some_steps};

/// `cycles` cosines from `base_lr` to `min_lr`, one after the other, whose lengths differ by one step at most:
/// number `k` ends after `⌈k · steps / cycles⌉` steps (Huang et al. 2017, eq. 2, whose last cycle is the shorter one
/// where the steps do not divide).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CosineCycles {
    /// The highest rate. Above 0, default 1e-3.
    pub base_lr: f64,
    /// The lowest rate, in `0..=base_lr`. Default 0.
    pub min_lr: f64,
    /// How many. At least 1, default 5.
    pub cycles: u64,
    /// Steps of all together, at least 1; further on it goes on likewise. Absent: the steps of the run.
    pub steps: Option<u64>,
}

impl Default for CosineCycles {
    fn default() -> Self {
        Self {
            base_lr: 1e-3,
            min_lr: 0.0,
            cycles: 5,
            steps: None,
        }
    }
}

impl Curve for CosineCycles {
    fn validate(&self) -> Result<(), ForgeError> {
        base_and_min(self.base_lr, self.min_lr)?;
        some_steps("schedule.cycles", Some(self.cycles))?;
        some_steps("schedule.steps", self.steps)
    }

    fn fill(&mut self, run_steps: u64) -> Result<(), ForgeError> {
        self.steps.get_or_insert(run_steps);
        Ok(())
    }

    fn lr(&self, step: u64) -> f64 {
        let steps = u128::from(self.steps.unwrap_or(1).max(1));
        let cycles = u128::from(self.cycles.max(1));
        let end = |k: u128| (k * steps).div_ceil(cycles);
        let step = u128::from(step);
        let cycle = step * cycles / steps;
        let (begin, end) = (end(cycle), end(cycle + 1));
        let (position, length) = ((step - begin) as f64, (end - begin) as f64);
        cosine(self.base_lr, self.min_lr, position / length)
    }

    fn peak(&self) -> f64 {
        self.base_lr
    }

    fn set_peak(&mut self, peak: f64) {
        (self.min_lr, self.base_lr) = (self.min_lr * (peak / self.base_lr), peak);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cycles_begin_at_the_highest_rate_and_end_near_the_lowest() {
        for (steps, cycles) in [(21, 5), (60, 8), (101, 10), (5, 5), (40, 4), (7, 1)] {
            let schedule = CosineCycles {
                base_lr: 1.0,
                cycles,
                steps: Some(steps),
                ..CosineCycles::default()
            };
            let ends = (1..=cycles).map(|k| (k * steps).div_ceil(cycles));
            let mut begin = 0;
            for end in ends {
                let length = end - begin;
                assert!(
                    length.abs_diff(steps / cycles) <= 1,
                    "{steps} {cycles} {end}"
                );
                assert_eq!(schedule.lr(begin), 1.0, "{steps} {cycles}");
                let last = cosine(1.0, 0.0, 1.0 - 1.0 / length as f64);
                assert!(
                    (schedule.lr(end - 1) - last).abs() < 1e-12,
                    "{steps} {cycles}"
                );
                begin = end;
            }
            assert_eq!(begin, steps);
        }
    }
}
