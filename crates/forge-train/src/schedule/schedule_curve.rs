//! The rate at a step.

use std::f64::consts::PI;

use super::{Anneal, CosineWarmRestarts, CosineWarmup, OneCycle, ScheduleConfig};

/// A schedule with nothing left open; made by [`ScheduleConfig::build`].
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    config: ScheduleConfig,
}

impl Schedule {
    /// `config` with every length filled in.
    pub(super) fn new(config: ScheduleConfig) -> Self {
        Self { config }
    }

    /// The config, every length filled in.
    #[must_use]
    pub fn config(&self) -> &ScheduleConfig {
        &self.config
    }

    /// The learning rate that optimiser step `step` (from 0) uses. Steps past the end of the
    /// schedule keep its last rate, except under restarts, which go on.
    #[must_use]
    pub fn lr(&self, step: u64) -> f64 {
        match &self.config {
            ScheduleConfig::Constant(c) => c.lr,
            ScheduleConfig::CosineWarmup(c) => cosine_warmup(c, step),
            ScheduleConfig::CosineWarmRestarts(c) => warm_restarts(c, step),
            ScheduleConfig::OneCycle(c) => one_cycle(c, step),
            ScheduleConfig::Factor(c) => c.base_lr * c.factor.at(step, c.total_steps.unwrap_or(1)),
        }
    }
}

/// From `start` to `end`, at share `p` of the way, along half a cosine.
fn cosine(start: f64, end: f64, p: f64) -> f64 {
    end + 0.5 * (start - end) * (1.0 + (PI * p).cos())
}

fn cosine_warmup(c: &CosineWarmup, step: u64) -> f64 {
    let warmup = c.warmup_steps.unwrap_or(0);
    let total = c.total_steps.unwrap_or(warmup + 1);
    if step < warmup {
        return c.base_lr * step as f64 / warmup as f64;
    }
    let length = total.saturating_sub(warmup).max(1);
    let p = ((step - warmup) as f64 / length as f64).min(1.0);
    cosine(c.base_lr, c.min_lr, p)
}

fn warm_restarts(c: &CosineWarmRestarts, step: u64) -> f64 {
    let mut length = c.t_0.unwrap_or(1).max(1);
    let mut position = step;
    if c.t_mult <= 1 {
        position %= length;
    } else {
        while position >= length {
            position -= length;
            length = length.saturating_mul(c.t_mult);
        }
    }
    cosine(c.base_lr, c.min_lr, position as f64 / length as f64)
}

fn one_cycle(c: &OneCycle, step: u64) -> f64 {
    let total = c.total_steps.unwrap_or(1) as f64;
    let initial = c.max_lr / c.div_factor;
    let last = initial / c.final_div_factor;
    let up = c.pct_start * total - 1.0;
    // The ends of the phases are fractional, as in PyTorch: `(end, from, to)`.
    let phases = if c.three_phase {
        let down = 2.0 * c.pct_start * total - 2.0;
        vec![
            (up, initial, c.max_lr),
            (down, c.max_lr, initial),
            (total - 1.0, initial, last),
        ]
    } else {
        vec![(up, initial, c.max_lr), (total - 1.0, c.max_lr, last)]
    };
    let step = step as f64;
    let mut start = 0.0;
    for (end, from, to) in phases {
        if step <= end && end > start {
            let p = (step - start) / (end - start);
            return match c.anneal {
                Anneal::Cos => cosine(from, to, p),
                Anneal::Linear => from + (to - from) * p,
            };
        }
        start = end.max(start);
    }
    last
}
