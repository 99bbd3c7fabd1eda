//! The last values of a series.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// The last `period` values.
///
/// Sums are taken anew at every value, oldest first: a running sum would drift, and would differ
/// after a restart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Window {
    period: u32,
    values: VecDeque<f64>,
}

impl Window {
    pub(super) fn new(period: u32) -> Self {
        Self {
            period,
            values: VecDeque::new(),
        }
    }

    /// Takes a value in and lets the oldest go; the window if it is full.
    pub(super) fn push(&mut self, value: f64) -> Option<&Self> {
        while self.values.len() >= (self.period as usize).max(1) {
            self.values.pop_front();
        }
        self.values.push_back(value);
        (self.values.len() == self.period as usize).then_some(self)
    }

    /// Whether there are `period` values.
    pub(super) fn is_full(&self) -> bool {
        self.values.len() == self.period as usize
    }

    pub(super) fn values(&self) -> impl Iterator<Item = f64> {
        self.values.iter().copied()
    }

    pub(super) fn sum(&self) -> f64 {
        self.values().sum()
    }

    pub(super) fn mean(&self) -> f64 {
        self.sum() / self.values.len() as f64
    }

    /// `Σ(x − x̄)²/(n − ddof)`.
    pub(super) fn variance(&self, ddof: u32) -> f64 {
        let mean = self.mean();
        let squares: f64 = self.values().map(|x| (x - mean) * (x - mean)).sum();
        squares / (self.values.len() as f64 - f64::from(ddof))
    }
}
