//! A level that follows what happens, and the errors it is taken of.

use std::collections::VecDeque;

use forge_train::calibration::conformal_rank;
use serde::{Deserialize, Serialize};

/// Of one step, target and band: the share of misses that is aimed at now, and the last errors of the
/// network's ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LevelErrors {
    /// `α_t`, which may leave `[0, 1]`.
    level: f64,
    /// How far outside the network's ends what happened lay, oldest first.
    errors: VecDeque<f32>,
}

impl LevelErrors {
    /// Errors that are kept at most.
    pub(super) const MOST: usize = 512;

    /// At the level `alpha`, with errors in their order; of too many, evenly spread ones.
    pub(super) fn new(alpha: f64, errors: &[f32]) -> Self {
        let every = errors.len().div_ceil(Self::MOST).max(1);
        Self {
            level: alpha,
            errors: errors.iter().copied().step_by(every).collect(),
        }
    }

    pub(super) fn is_sound(&self) -> bool {
        self.level.is_finite()
            && self.errors.len() <= Self::MOST
            && self.errors.iter().all(|e| e.is_finite())
    }

    /// How far the ends of the band lie outside those of the network.
    pub(super) fn reach(&self) -> f32 {
        let n = self.errors.len();
        if n == 0 {
            return 0.0;
        }
        let place = conformal_rank(n, self.level).unwrap_or(n) - 1;
        let mut errors: Vec<f32> = self.errors.iter().copied().collect();
        *errors.select_nth_unstable_by(place, f32::total_cmp).1
    }

    /// Learns whether the band missed, and by how much the network's own did; its oldest error goes
    /// where there are enough.
    pub(super) fn learn(&mut self, rate: f64, alpha: f64, missed: bool, error: f32) {
        self.level += rate * (alpha - f64::from(u8::from(missed)));
        if error.is_finite() {
            if self.errors.len() == Self::MOST {
                self.errors.pop_front();
            }
            self.errors.push_back(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_outside_shares_takes_the_last_error_there_is() {
        let mut errors = LevelErrors::new(0.1, &[3.0, -1.0, 2.0]);
        errors.level = -0.5;
        assert_eq!(errors.reach(), 3.0);
        errors.level = 1.5;
        assert_eq!(errors.reach(), -1.0);
        assert_eq!(LevelErrors::new(0.1, &[]).reach(), 0.0);
    }

    #[test]
    fn a_whole_number_is_its_own_rank() {
        // 0.35 times 20 is 7.000000000000001 in floating point.
        let known: Vec<f32> = (1..=19_u8).map(f32::from).collect();
        assert_eq!(LevelErrors::new(0.65, &known).reach(), 7.0);
    }

    #[test]
    fn the_oldest_error_goes() {
        let mut known = [0.0; LevelErrors::MOST];
        (known[0], known[1]) = (9.0, 8.0);
        let mut errors = LevelErrors::new(0.1, &known);
        errors.learn(0.01, 0.1, true, 7.0);
        assert_eq!(errors.errors.len(), LevelErrors::MOST);
        let ends = (errors.errors.front(), errors.errors.back());
        assert_eq!(ends, (Some(&8.0), Some(&7.0)));
        assert!((errors.level - (0.1 - 0.009)).abs() < 1e-12);
    }
}
