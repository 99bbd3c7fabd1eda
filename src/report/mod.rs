//! One HTML page about a run, with its plots inside: it opens offline and needs no script.

mod chart;
mod page;

use std::path::Path;

use forge_nn::ForgeError;
use serde::{Deserialize, Serialize};

use crate::Error;

/// A point of a plot.
pub type Point = (f64, f64);

/// Everything a report shows.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Report {
    /// The heading.
    pub title: String,
    /// Lines under the heading: where the data come from, how they were split, what was repaired.
    pub notes: Vec<String>,
    /// Models and baselines, best first.
    pub leaderboard: Vec<LeaderboardRow>,
    /// The target's name and unit, for axes.
    pub target: String,
    /// A loss curve a model.
    pub curves: Vec<LossCurve>,
    /// `(actual, predicted)` of the best model on the hold-out rows.
    pub predictions: Vec<Point>,
    /// A smile an expiry, when the table is an option chain.
    pub smiles: Vec<Smile>,
}

/// A row of the leaderboard. Figures are of the hold-out rows, in the target's unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeaderboardRow {
    /// Model or baseline.
    pub name: String,
    /// Whether it is a baseline.
    pub baseline: bool,
    /// Root mean squared error.
    pub rmse: f64,
    /// Mean absolute error.
    pub mae: f64,
    /// Coefficient of determination.
    pub r2: f64,
    /// Seconds of fitting.
    pub seconds: f64,
    /// Trainable parameters; none for a baseline.
    pub parameters: Option<usize>,
}

/// Losses over epochs.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct LossCurve {
    /// The model.
    pub model: String,
    /// `(epoch, training loss)`, on the standardised target.
    pub train: Vec<Point>,
    /// `(epoch, validation RMSE)`, in the target's unit.
    pub validation: Vec<Point>,
}

/// Quotes of one expiry and what the model says there.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Smile {
    /// Such as `2024-03-01, 0.25 years`.
    pub title: String,
    /// `(log-moneyness, quoted volatility)`.
    pub quotes: Vec<Point>,
    /// `(log-moneyness, model volatility)`, in order of log-moneyness.
    pub model: Vec<Point>,
}

impl Report {
    /// The page.
    ///
    /// # Errors
    /// If a plot cannot be drawn.
    pub fn to_html(&self) -> Result<String, Error> {
        page::render(self)
            .map_err(|reason| ForgeError::unsupported(format!("report: {reason}")).into())
    }

    /// Writes the page to `path`.
    ///
    /// # Errors
    /// As [`to_html`](Self::to_html), or an I/O error.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        std::fs::write(path, self.to_html()?).map_err(|e| ForgeError::io(path, e).into())
    }
}
