//! A walk through time.

use std::sync::Arc;

use burn::tensor::Device;
use forge_data::{Fold, SeriesTable, TimeSplit};
use forge_nn::ForgeError;

use super::evaluate::ForecastScore;
use super::{ForecastFitReport, Forecaster, Forecasts};
use crate::{Error, FitOptions};

/// What came of fitting and measuring round by round.
#[derive(Debug, Clone)]
pub struct Backtest {
    /// Round by round.
    pub folds: Vec<BacktestFold>,
    /// All test windows together.
    pub score: ForecastScore,
}

/// One round.
#[derive(Debug, Clone)]
pub struct BacktestFold {
    /// Where it learned and where it was measured.
    pub fold: Fold,
    /// How the fit went.
    pub report: ForecastFitReport,
    /// What it said in the test part, and what happened.
    pub forecasts: Forecasts,
    /// How good that was.
    pub score: ForecastScore,
}

impl Backtest {
    pub(super) fn walk<'a>(
        forecaster: &Forecaster,
        table: &Arc<SeriesTable>,
        split: &TimeSplit,
        device: &Device,
        mut options: impl FnMut(usize) -> FitOptions<'a>,
    ) -> Result<Self, Error> {
        let mut folds = Vec::new();
        let mut all: Option<ForecastScore> = None;
        let rounds = split.folds(table)?;
        forecaster.check_tests(table, &rounds)?;
        for (round, fold) in rounds.into_iter().enumerate() {
            let Some(test) = &fold.test else {
                let allowed = "one with a test part";
                return Err(ForgeError::config("split", "without a test part", allowed).into());
            };
            let (fitted, report) =
                forecaster.fit_fold(table, &fold, device, options(round), None)?;
            let windows = fitted.windows(table, test)?;
            let score = fitted.score(&windows)?;
            match &mut all {
                None => all = Some(score.clone()),
                Some(all) => all.join(&score),
            }
            folds.push(BacktestFold {
                fold,
                report,
                forecasts: fitted.forecast(&windows)?,
                score,
            });
        }
        let none = || ForgeError::config("split", "no rounds", "at least one");
        Ok(Self {
            folds,
            score: all.ok_or_else(none)?,
        })
    }
}
