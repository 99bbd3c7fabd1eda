//! What a run found, as `metrics.json` holds it.

use forge_train::metric::Scores;
use forge_train::{EpochRecord, StopReason};
use serde::{Deserialize, Serialize};

use crate::report::LeaderboardRow;
use crate::{ColumnImportance, Task};

/// One trained model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelResult {
    /// Registry name.
    pub name: String,
    /// Of the hold-out rows, in the target's unit; the first decides.
    pub scores: Scores,
    /// Of the validation rows, by which the best model is chosen; absent without such rows.
    pub validation: Option<Scores>,
    /// Seconds of training, over all resumptions.
    pub seconds: f64,
    /// Trainable parameters, of an ensemble those of each network.
    pub parameters: usize,
    /// Which weights were kept: `module`, or the average's name; of an ensemble the first network's.
    pub candidate: String,
    /// Epochs trained, of an ensemble by all networks.
    pub epochs: usize,
    /// Why training ended.
    pub stopped: StopReason,
    /// Losses and scores by epoch; of an ensemble one network's after the other's.
    pub history: Vec<EpochRecord>,
    /// What a person should know of the data: columns left out, labels that training did not have,
    /// a target that never varies.
    pub notes: Vec<String>,
    /// How much each column counts by the model's own account, on the validation rows (without any,
    /// on the hold-out rows); absent for a model that gives none.
    #[serde(default)]
    pub importance: Option<Vec<ColumnImportance>>,
}

/// A model whose training could not go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedModel {
    /// Registry name.
    pub name: String,
    /// Why.
    pub error: String,
}

/// A baseline's hold-out figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BaselineResult {
    /// Its name.
    pub name: String,
    /// Of the hold-out rows, in the target's unit; the first decides.
    pub scores: Scores,
    /// Seconds of fitting and predicting.
    pub seconds: f64,
}

/// Everything in `metrics.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The models, best hold-out score first.
    pub models: Vec<ModelResult>,
    /// The models whose training could not go on, such as by a loss that is not finite: the others were
    /// trained all the same.
    #[serde(default)]
    pub failed: Vec<FailedModel>,
    /// The baselines, best first.
    pub baselines: Vec<BaselineResult>,
    /// The model in `model.safetensors`: the one that is best on the validation rows.
    pub best: String,
    /// What the best model's deciding score loses by each column, see
    /// [`permutation_importance`](crate::FittedModel::permutation_importance), on at most 20,000
    /// validation rows over all columns and three repetitions; absent where that would be fewer
    /// than 50 a column, and for models that predict from labelled rows.
    #[serde(default)]
    pub permutation_importance: Option<Vec<ColumnImportance>>,
    /// The columns predicted.
    pub target: Vec<String>,
    /// Numbers or classes.
    pub task: Task,
    /// The objective's name.
    pub objective: String,
    /// The classes in order; absent for numbers.
    pub classes: Option<Vec<String>>,
    /// Seed of the training.
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
    /// Models and baselines, best hold-out score first.
    #[must_use]
    pub fn leaderboard(&self) -> Vec<LeaderboardRow> {
        let models = self.models.iter().map(|m| LeaderboardRow {
            name: m.name.clone(),
            baseline: false,
            scores: m.scores.clone(),
            seconds: m.seconds,
            parameters: Some(m.parameters),
        });
        let baselines = self.baselines.iter().map(|b| LeaderboardRow {
            name: b.name.clone(),
            baseline: true,
            scores: b.scores.clone(),
            seconds: b.seconds,
            parameters: None,
        });
        let mut rows: Vec<_> = models.chain(baselines).collect();
        LeaderboardRow::sort(&mut rows);
        rows
    }
}
