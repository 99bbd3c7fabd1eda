//! The folder of a run.

use std::path::Path;

use forge_nn::ForgeError;
use serde::Serialize;

use super::{ForecastRunConfig, ForecastSummary};
use crate::Error;
use crate::report::{LeaderboardRow, Report, write_whole};

/// What `metrics.json` holds.
#[derive(Serialize)]
struct Metrics<'a> {
    best: &'a str,
    windows: usize,
    notes: &'a [String],
    leaderboard: &'a [LeaderboardRow],
}

/// Makes the folder and writes the settings into it. A folder that holds a run already is refused.
pub(super) fn prepare(out: &Path, config: &ForecastRunConfig) -> Result<(), Error> {
    let settings = out.join("config.toml");
    if settings.exists() {
        let found = forge_data::printable(&out.display().to_string()).into_owned();
        let allowed = "a folder without a run in it";
        return Err(ForgeError::config("out", found, allowed).into());
    }
    std::fs::create_dir_all(out).map_err(|e| ForgeError::io(out, e))?;
    let text = toml::to_string_pretty(config)
        .map_err(|e| ForgeError::config("the run's settings", e, "what TOML can say"))?;
    write_whole(&settings, &text)
}

/// Writes what came of it.
pub(super) fn write(out: &Path, summary: &ForecastSummary, report: &Report) -> Result<(), Error> {
    let metrics = Metrics {
        best: &summary.best,
        windows: summary.windows,
        notes: &summary.notes,
        leaderboard: &summary.leaderboard,
    };
    let text = serde_json::to_string_pretty(&metrics)
        .map_err(|e| ForgeError::config("metrics", e, "what JSON can say"))?;
    write_whole(&out.join("metrics.json"), &(text + "\n"))?;
    summary.fitted.save(out.join("model.safetensors"))?;
    let forecasts = summary.forecasts.to_table()?;
    forecasts.write_csv(out.join("forecasts.csv"))?;
    report.write(out.join("report.html"))
}
