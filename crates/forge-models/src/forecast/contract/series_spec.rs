//! What a window of a series looks like to a model.

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::ForecastCapabilities;
use crate::limits;

/// What a window of a series looks like to a model: enough to size its config.
///
/// The targets' own past is always there; everything else may be absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeriesSpec {
    /// Steps that the model sees, `L`, at least 1.
    pub lookback: usize,
    /// Steps that it forecasts, `H`, at least 1.
    pub horizon: usize,
    /// Targets, `N`, at least 1.
    pub n_targets: usize,
    /// Covariates of which the past alone is known, `P`.
    pub n_past: usize,
    /// Covariates of which the future is known too, `K`.
    pub n_known: usize,
    /// Numbers that do not change with time, `S`.
    pub n_fixed: usize,
    /// Number of codes of each category that does not change with time.
    pub fixed_cardinalities: Vec<usize>,
    /// Width of the foundation model's vector, `E`; 0: there is none.
    pub d_embedding: usize,
    /// Bars per day where the calendar of the steps is given (1 for daily bars and coarser ones).
    pub bars_per_day: Option<usize>,
    /// Steps of a season, at least 1, where one is known (24 of hours, 5 of business days): models
    /// that have a period take it where their config says none.
    pub season: Option<usize>,
    /// Outputs per step and target, `W`, at least 1.
    pub n_outputs: usize,
    /// The outputs of a step are quantiles that must not cross: the first is the lowest, each
    /// further one adds `softplus` of what the network says. Made so before a model gives a window
    /// its scale back, so that they rise in the series' own units too.
    pub rising: bool,
}

impl Default for SeriesSpec {
    /// One target from its own past, 96 steps from 336, one output per step.
    fn default() -> Self {
        Self {
            lookback: 336,
            horizon: 96,
            n_targets: 1,
            n_past: 0,
            n_known: 0,
            n_fixed: 0,
            fixed_cardinalities: vec![],
            d_embedding: 0,
            bars_per_day: None,
            season: None,
            n_outputs: 1,
            rising: false,
        }
    }
}

impl SeriesSpec {
    /// Outputs of a model, `H·N·W`.
    #[must_use]
    pub fn d_out(&self) -> usize {
        self.horizon
            .saturating_mul(self.n_targets)
            .saturating_mul(self.n_outputs)
    }

    /// Checks every size.
    ///
    /// # Errors
    /// A config error naming the field, its value and the allowed range.
    pub fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("lookback", self.lookback, limits::STEPS)?;
        check::in_range("horizon", self.horizon, limits::STEPS)?;
        check::in_range("n_targets", self.n_targets, limits::COLUMNS)?;
        check::in_range("n_outputs", self.n_outputs, limits::WIDTH)?;
        check::in_range(
            "horizon * n_targets * n_outputs",
            self.d_out(),
            limits::COLUMNS,
        )?;
        for (field, value) in [
            ("n_past", self.n_past),
            ("n_known", self.n_known),
            ("n_fixed", self.n_fixed),
            ("d_embedding", self.d_embedding),
        ] {
            check::in_range(field, value, ..=*limits::WIDTH.end())?;
        }
        for (i, cardinality) in self.fixed_cardinalities.iter().enumerate() {
            let field = format!("fixed_cardinalities[{i}]");
            check::in_range(&field, *cardinality, limits::COLUMNS)?;
        }
        for (field, steps) in [("bars_per_day", self.bars_per_day), ("season", self.season)] {
            if let Some(steps) = steps {
                check::in_range(field, steps, limits::STEPS)?;
            }
        }
        Ok(())
    }

    /// Checks that `model` takes all of it.
    ///
    /// # Errors
    /// An unsupported error naming what it does not take, and the way out.
    pub fn check_takes(
        &self,
        model: &str,
        capabilities: ForecastCapabilities,
    ) -> Result<(), ForgeError> {
        let c = capabilities;
        let refused = [
            (
                !c.several_targets && self.n_targets > 1,
                "forecasts one target: give each target as a series of its own",
            ),
            (
                !c.past_covariates && self.n_past > 0,
                "takes no past covariates: leave them out",
            ),
            (
                !c.known && self.n_known > 0,
                "takes no covariates known ahead: leave them out",
            ),
            (
                !c.fixed && self.n_fixed > 0,
                "takes no fixed numbers: leave them out",
            ),
            (
                !c.fixed_codes && !self.fixed_cardinalities.is_empty(),
                "takes no fixed categories: leave them out",
            ),
            (
                !c.embedding && self.d_embedding > 0,
                "takes no embedding: leave it out",
            ),
            (
                !c.calendar && self.bars_per_day.is_some(),
                "takes no calendar: leave it out, or give its numbers as covariates known ahead to a \
                 model that takes such",
            ),
            (
                !c.several_outputs && self.n_outputs > 1,
                "gives one output per step: choose an objective of one output",
            ),
        ];
        match refused.iter().find(|(refused, _)| *refused) {
            Some((_, what)) => Err(ForgeError::unsupported(format!("{model} {what}"))),
            None => Ok(()),
        }
    }
}
