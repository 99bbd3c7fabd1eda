//! What a run leaves in its folder.

use forge_nn::ForgeError;
use serde::Serialize;

use super::ForecastSummary;
use crate::Error;
use crate::report::{LeaderboardRow, Report};
use crate::run_folder::RunFolder;

/// What `metrics.json` holds.
#[derive(Serialize)]
struct Metrics<'a> {
    best: &'a str,
    windows: usize,
    notes: &'a [String],
    leaderboard: &'a [LeaderboardRow],
}

/// Writes what came of it.
pub(super) fn write(
    folder: &RunFolder,
    summary: &ForecastSummary,
    report: &Report,
) -> Result<(), Error> {
    let metrics = Metrics {
        best: &summary.best,
        windows: summary.windows,
        notes: &summary.notes,
        leaderboard: &summary.leaderboard,
    };
    let text = serde_json::to_string_pretty(&metrics)
        .map_err(|e| ForgeError::config("metrics", e, "what JSON can say"))?;
    folder.write("metrics.json", &(text + "\n"))?;
    summary.fitted.save(folder.file("model.safetensors"))?;
    folder.clear_place("forecasts.csv")?;
    let forecasts = summary.forecasts.to_table()?;
    forecasts.write_csv(folder.file("forecasts.csv"))?;
    folder.write("report.html", &report.to_html()?)
}
