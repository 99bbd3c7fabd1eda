//! Realised variance of the S&P 500, and what models see beside it.

use serde::{Deserialize, Serialize};
use volatilityforge::data::{SeriesConfig, SeriesTransform, TimeSplit, TrainSpan};
use volatilityforge::forecast::{ForecasterConfig, PointForecast};
use volatilityforge::{Column, Error, Table};

use super::{Loaded, derived};

/// Columns that models see beside the variance, where they take such.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Inputs {
    /// None: its own past as it is.
    Own,
    /// Its own means of 5 and 22 days.
    Means,
    /// These means, the return and its negative part.
    Returns,
    /// All these and the VIX.
    Vix,
    /// Of bars: volatilities over other windows, ranges, volumes.
    Bars,
}

const MEANS: [(&str, usize); 2] = [("rv5_mean_5", 5), ("rv5_mean_22", 22)];

impl Inputs {
    fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Own | Self::Bars => &[],
            Self::Means => &["rv5_mean_5", "rv5_mean_22"],
            Self::Returns => &[
                "rv5_mean_5",
                "rv5_mean_22",
                "open_to_close",
                "negative_return",
            ],
            Self::Vix => &[
                "rv5_mean_5",
                "rv5_mean_22",
                "open_to_close",
                "negative_return",
                "vix",
            ],
        }
    }

    /// Those that a log-HAR takes beside the means that it has anyway.
    pub(crate) fn of_har(self) -> &'static [&'static str] {
        match self {
            Self::Own | Self::Means | Self::Bars => &[],
            Self::Returns => &["negative_return"],
            Self::Vix => &["negative_return", "vix"],
        }
    }
}

/// Days of a walk between two fits: eight of them are the 1,568 days from 2014-01-02 on.
const REFIT: usize = 196;

/// The mean of the last `days` values; of fewer where the table begins.
pub(super) fn trailing_mean(values: &[f64], days: usize) -> Vec<f64> {
    (0..values.len())
        .map(|row| {
            let known = &values[(row + 1).saturating_sub(days)..=row];
            known.iter().sum::<f64>() / known.len() as f64
        })
        .collect()
}

pub(super) fn load(table: Table, inputs: Inputs) -> Result<Loaded, Error> {
    let returns = derived::numbers(&table, "open_to_close")?;
    let negative = returns.iter().map(|r| r.min(0.0)).collect();
    let values = derived::numbers(&table, "rv5")?;
    let mut table = table.with_column(Column::numeric("negative_return", negative))?;
    for (name, days) in MEANS {
        table = table.with_column(Column::numeric(name, trailing_mean(&values, days)))?;
    }
    let series = SeriesConfig::new("date", ["rv5"]).with_past(inputs.columns().iter().copied());
    let mut config = ForecasterConfig::new(series, 1);
    let names = MEANS.map(|(name, _)| name);
    let seen = |name: &&str| *name == "rv5" || inputs.columns().contains(name);
    for column in names.into_iter().chain(["rv5", "vix"]).filter(seen) {
        config.scaler = config.scaler.with_transform(column, SeriesTransform::Log);
    }
    // QLIKE asks for means; half a year is short for one of ratios.
    config.point = PointForecast::MeanByAll;
    let split = TimeSplit::WalkForward {
        folds: None,
        test: REFIT,
        step: None,
        first_test: Some("2014-01-02".into()),
        train: TrainSpan::Expanding,
        validation: REFIT,
        embargo: 0,
    };
    Ok(Loaded {
        table,
        config,
        split,
        inputs: Some(inputs),
    })
}
