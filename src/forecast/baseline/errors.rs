//! Intervals of forecasts that say none, from their errors.

/// Errors of each step, each divided by what its series moves in a step.
#[derive(Debug, Clone)]
pub(super) struct StepErrors {
    of_step: Vec<Vec<f64>>,
}

impl StepErrors {
    pub(super) fn new(steps: usize) -> Self {
        Self {
            of_step: vec![Vec::new(); steps],
        }
    }

    /// Adds one; what is not finite is left out.
    pub(super) fn add(&mut self, step: usize, error: f64) {
        if error.is_finite() {
            self.of_step[step].push(error);
        }
    }

    /// The quantiles of each step, `[H x Q]`: between the order statistics, linearly (type 7 of
    /// Hyndman and Fan 1996); 0 where there is no error.
    pub(super) fn quantiles(mut self, levels: &[f64]) -> Vec<f64> {
        let mut quantiles = Vec::new();
        for errors in &mut self.of_step {
            errors.sort_unstable_by(f64::total_cmp);
            quantiles.extend(levels.iter().map(|level| {
                let at = level * errors.len().saturating_sub(1) as f64;
                let low = errors.get(at.floor() as usize).copied().unwrap_or(0.0);
                let high = errors.get(at.ceil() as usize).copied().unwrap_or(low);
                low + (high - low) * at.fract()
            }));
        }
        quantiles
    }
}
