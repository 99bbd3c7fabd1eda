//! How fast a run goes.

use std::time::Instant;

use super::progress::Progress;

/// Measures time since this process took the run up.
#[derive(Debug)]
pub(super) struct Pace {
    clock: Instant,
    seconds: f64,
    rows: u64,
    steps: u64,
}

impl Pace {
    pub(super) fn start() -> Self {
        Self {
            clock: Instant::now(),
            seconds: 0.0,
            rows: 0,
            steps: 0,
        }
    }

    /// One more step.
    pub(super) fn step(&mut self, rows: usize) {
        self.rows += rows as u64;
        self.steps += 1;
    }

    /// Takes the time since the last call to account.
    pub(super) fn tick(&mut self, progress: &mut Progress) {
        let now = Instant::now();
        let seconds = now.duration_since(self.clock).as_secs_f64();
        self.clock = now;
        self.seconds += seconds;
        progress.seconds += seconds;
        progress.epoch_seconds += seconds;
    }

    pub(super) fn samples_per_second(&self) -> f64 {
        self.rows as f64 / self.seconds.max(1e-9)
    }

    /// Seconds that `left` more steps take.
    pub(super) fn eta_seconds(&self, left: u64) -> f64 {
        self.seconds / self.steps.max(1) as f64 * left as f64
    }
}
