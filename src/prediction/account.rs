//! What predicting a file did.

use std::fmt::{self, Display};

use forge_data::{ReadReport, TransformReport};
use forge_train::metric::{Score, Scores};

use crate::Calibration;
use crate::estimator::lines;

/// What predicting a file did, for people to read.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PredictionAccount {
    /// The columns that were predicted.
    pub targets: Vec<String>,
    /// The model's name.
    pub model: String,
    /// Rows that were predicted.
    pub rows: usize,
    /// What reading the file did.
    pub read: ReadReport,
    /// Cells that were missing, labels that were matched or unknown.
    pub transform: TransformReport,
    /// How good the predictions are, where the file has the targets.
    pub scores: Option<Scores>,
    /// Rows that have all targets, and were scored.
    pub scored: usize,
    /// Why there are no scores, where the file has the targets.
    pub not_scored: Option<String>,
    /// What the predictions were put right by, where the model is calibrated.
    pub calibration: Option<Calibration>,
    /// Why there are no quantiles, where doubt was asked for.
    pub no_quantiles: Option<String>,
}

impl Display for PredictionAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.read)?;
        for line in lines(&self.transform.to_string(), 0) {
            writeln!(f, "{line}")?;
        }
        let targets = self.targets.join(", ");
        write!(
            f,
            "{} predictions of {targets} by {}",
            self.rows, self.model
        )?;
        if let Some(calibration) = &self.calibration {
            write!(f, ", calibrated: {calibration}")?;
        }
        if let Some(why) = &self.no_quantiles {
            write!(f, "\n{why}")?;
        }
        if let Some(why) = &self.not_scored {
            write!(f, "\nno scores: {why}")?;
        }
        let Some(scores) = &self.scores else {
            return Ok(());
        };
        if self.scored < self.rows {
            write!(
                f,
                "\nscores of the {} rows that have a target:",
                self.scored
            )?;
        }
        for score in scores.iter() {
            write!(
                f,
                "\n{}: {}",
                score.name.replace('_', " "),
                Score::shown(score)
            )?;
        }
        Ok(())
    }
}
