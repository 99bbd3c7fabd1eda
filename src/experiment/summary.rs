//! What a run found, as `metrics.json` holds it.

use forge_train::{EpochRecord, StopReason};
use serde::{Deserialize, Serialize};

use crate::report::LeaderboardRow;

/// One trained model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelResult {
    /// Registry name.
    pub name: String,
    /// Root mean squared error on the hold-out rows, in the target's unit.
    pub rmse: f64,
    /// Mean absolute error.
    pub mae: f64,
    /// Coefficient of determination.
    pub r2: f64,
    /// Seconds of training, over all resumptions.
    pub seconds: f64,
    /// Trainable parameters.
    pub parameters: usize,
    /// Best RMSE on the validation rows, by which the best model is chosen; absent without such
    /// rows.
    pub validation_rmse: Option<f64>,
    /// Epochs trained.
    pub epochs: usize,
    /// Why training ended.
    pub stopped: StopReason,
    /// Losses by epoch.
    pub history: Vec<EpochRecord>,
}

/// A baseline's hold-out figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BaselineResult {
    /// Its name.
    pub name: String,
    /// Root mean squared error.
    pub rmse: f64,
    /// Mean absolute error.
    pub mae: f64,
    /// Coefficient of determination.
    pub r2: f64,
    /// Seconds of fitting and predicting.
    pub seconds: f64,
}

/// Everything in `metrics.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The models, best hold-out RMSE first.
    pub models: Vec<ModelResult>,
    /// The baselines, best first.
    pub baselines: Vec<BaselineResult>,
    /// The model in `model.safetensors`: the one with the best validation RMSE.
    pub best: String,
    /// The column predicted.
    pub target: String,
    /// Seed of the run.
    pub seed: u64,
    /// Rows of the table.
    pub rows: usize,
    /// Rows trained on.
    pub train_rows: usize,
    /// Rows the baselines trained on: validation rows too, but of long tables only a part.
    pub baseline_rows: usize,
    /// Rows for early stopping.
    pub validation_rows: usize,
    /// Rows behind the figures.
    pub test_rows: usize,
    /// The split's rule.
    pub split: String,
    /// Whether the data are synthetic.
    pub synthetic: bool,
    /// This library's version.
    pub version: String,
}

impl Summary {
    /// Models and baselines, best hold-out RMSE first.
    #[must_use]
    pub fn leaderboard(&self) -> Vec<LeaderboardRow> {
        let models = self.models.iter().map(|m| LeaderboardRow {
            name: m.name.clone(),
            baseline: false,
            rmse: m.rmse,
            mae: m.mae,
            r2: m.r2,
            seconds: m.seconds,
            parameters: Some(m.parameters),
        });
        let baselines = self.baselines.iter().map(|b| LeaderboardRow {
            name: b.name.clone(),
            baseline: true,
            rmse: b.rmse,
            mae: b.mae,
            r2: b.r2,
            seconds: b.seconds,
            parameters: None,
        });
        let mut rows: Vec<_> = models.chain(baselines).collect();
        rows.sort_by(|a, b| a.rmse.total_cmp(&b.rmse));
        rows
    }
}
