//! Several forecasters and baselines on one split, with leaderboard, report and files: what
//! `examples/forecast` is made of.

mod charts;
mod config;
mod explained;
mod files;
mod walk;

pub use config::{ForecastRunConfig, RunTeacher};
pub use walk::{ForecastRun, ForecastRunOptions, ForecastSummary};

use forge_train::metric::{Scores, StepScores};

use super::ForecastScore;

/// The scores of a leaderboard, the first deciding: relative to repeating a value, in the targets'
/// own units, on the model's scale where that is known (`_scaled`), coverages of the bands (`_fixed`:
/// of bands that follow what happens, as if they had stayed), and how often the direction was right,
/// with its standard error.
#[must_use]
pub fn scores(score: &ForecastScore) -> Scores {
    let own = score.own.all();
    let mut scores = Scores::new();
    if let Some(mase) = own.mase {
        scores = scores.minimize("mase", mase);
    }
    scores = scores.minimize("mae", own.mae).minimize("mse", own.mse);
    scores = with_scaled(scores, &score.scaled.all());
    if let Some(crps) = own.crps {
        scores = scores.minimize("crps", crps);
    }
    if let Some(pinball) = own.pinball {
        scores = scores.minimize("pinball", pinball);
    }
    if let Some(qlike) = own.qlike {
        scores = scores.minimize("qlike", qlike);
    }
    for interval in &own.intervals {
        let name = format!("coverage_{:.0}", 100.0 * interval.share);
        scores = scores.maximize(&name, interval.coverage);
    }
    for interval in score.fixed.iter().flat_map(|fixed| fixed.all().intervals) {
        let name = format!("coverage_{:.0}_fixed", 100.0 * interval.share);
        scores = scores.maximize(&name, interval.coverage);
    }
    if let Some(direction) = own.direction {
        scores = scores
            .maximize("direction", direction.accuracy)
            .minimize("direction_error", direction.standard_error);
    }
    scores
}

fn with_scaled(scores: Scores, scaled: &StepScores) -> Scores {
    if scaled.count == 0 {
        return scores;
    }
    scores
        .minimize("mse_scaled", scaled.mse)
        .minimize("mae_scaled", scaled.mae)
}
