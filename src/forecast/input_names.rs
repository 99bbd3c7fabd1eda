//! What the inputs of a forecaster are called.

use super::FittedForecaster;

/// Names of what a model is given.
pub(super) struct InputNames {
    pub(super) lookback: Vec<String>,
    pub(super) ahead: Vec<String>,
    pub(super) targets: Vec<String>,
    pub(super) past: Vec<String>,
    pub(super) known: Vec<String>,
    pub(super) fixed: Vec<String>,
}

impl FittedForecaster {
    /// The names of what the model is given.
    pub(super) fn names(&self) -> InputNames {
        let config = &self.schema.config;
        let lookback = self.windows.lookback;
        let back = |step: usize| match lookback - 1 - step {
            0 => "0".to_string(),
            back => format!("-{back}"),
        };
        let mut known = Vec::new();
        if self.plan.takes_known() {
            known.extend(config.known.iter().cloned());
        }
        if self.plan.takes_centred_calendar() {
            let parts = ["time_of_day", "weekday", "day_of_month", "day_of_year"];
            known.extend(parts.map(String::from));
        }
        if known.is_empty() {
            // A model that always has one counts the steps.
            known.push("step".into());
        }
        let mut fixed: Vec<String> = Vec::new();
        fixed.extend(
            self.schema
                .fixed_numbers()
                .map(|column| column.name.clone()),
        );
        fixed.extend(self.schema.fixed_labels().map(|column| column.name.clone()));
        if !self.plan.embedding().is_empty() {
            fixed.push("embedding".into());
        }
        let past = self
            .plan
            .past()
            .iter()
            .map(|place| config.past[*place].clone());
        InputNames {
            lookback: (0..lookback).map(back).collect(),
            ahead: self
                .windows
                .horizon
                .steps()
                .map(|step| format!("+{step}"))
                .collect(),
            targets: config.targets.clone(),
            past: past.collect(),
            known,
            fixed,
        }
    }
}
