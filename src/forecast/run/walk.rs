//! The run itself.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use burn::tensor::Device;
use forge_data::{Fold, SeriesScaler, SeriesTable, Table, Windows, read_table};
use forge_nn::ForgeError;
use forge_train::metric::Scores;

use super::{ForecastRunConfig, charts, files, scores};
use crate::forecast::{
    FittedForecaster, ForecastScore, Forecaster, Forecasts, SeriesModelChoice, baseline,
};
use crate::report::{LeaderboardRow, Report};
use crate::{Error, FitOptions};

/// Several forecasters and baselines on one split.
#[derive(Debug, Clone)]
pub struct ForecastRun {
    config: ForecastRunConfig,
}

/// What came of it.
#[derive(Debug)]
pub struct ForecastSummary {
    /// Models and baselines, best first.
    pub leaderboard: Vec<LeaderboardRow>,
    /// The model with the best validation scores, by name: never chosen by the test.
    pub best: String,
    /// It, of the last round.
    pub fitted: FittedForecaster,
    /// What it said in the last round's test, and what happened.
    pub forecasts: Forecasts,
    /// What a person should know, one line each.
    pub notes: Vec<String>,
    /// Test windows of all rounds.
    pub windows: usize,
}

/// A model in a round.
struct Fitted {
    fitted: FittedForecaster,
    score: ForecastScore,
    seconds: f64,
    parameters: usize,
    validation: Option<Scores>,
    notes: Vec<String>,
    windows: usize,
}

impl ForecastRun {
    /// With these settings.
    ///
    /// # Errors
    /// What [`ForecastRunConfig::validate`] finds.
    pub fn new(config: ForecastRunConfig) -> Result<Self, Error> {
        config.validate()?;
        Ok(Self { config })
    }

    /// Fits and measures everything, and writes to the folder `out`: `report.html`,
    /// `metrics.json`, `forecasts.csv` of the best model, `model.safetensors` and `config.toml`.
    /// `hear` is told each thing as it happens.
    ///
    /// # Errors
    /// Bad data (naming file, column, series and time), settings that do not fit them, training that
    /// cannot go on, or a folder that cannot be written to.
    pub fn run(
        &self,
        device: &Device,
        out: &Path,
        mut hear: impl FnMut(&str),
    ) -> Result<ForecastSummary, Error> {
        files::prepare(out, &self.config)?;
        let (table, source) = self.table()?;
        let path = self.config.data.as_deref();
        let of_file = |e: Error| match path {
            Some(path) => e.in_file(path),
            None => e,
        };
        let series = &self.config.forecaster.series;
        let table = SeriesTable::from_table(&table, series).map_err(|e| of_file(e.into()))?;
        let table = Arc::new(table);
        let mut notes = vec![source];
        notes.extend(table.report().to_string().lines().map(String::from));
        notes.iter().for_each(|note| hear(note));
        let folds = self.config.split.folds(&table)?;
        let mut rows: Vec<LeaderboardRow> = Vec::new();
        let mut best: Option<(Scores, String, FittedForecaster)> = None;
        let mut sections = Vec::new();
        let mut test_windows = 0;
        for choice in &self.config.models {
            let name = choice.name();
            let mut all: Option<ForecastScore> = None;
            let (mut seconds, mut parameters, mut last) = (0.0, 0, None);
            test_windows = 0;
            for fold in &folds {
                let fitted = self.fit(choice, &table, fold, device).map_err(of_file)?;
                for note in fitted.notes {
                    if !notes.contains(&note) {
                        hear(&note);
                        notes.push(note);
                    }
                }
                seconds += fitted.seconds;
                parameters = fitted.parameters;
                test_windows += fitted.windows;
                match &mut all {
                    None => all = Some(fitted.score),
                    Some(all) => all.join(&fitted.score),
                }
                last = Some((fitted.fitted, fitted.validation));
            }
            let (Some(score), Some((fitted, validation))) = (all, last) else {
                continue;
            };
            let row = LeaderboardRow {
                name: name.into(),
                baseline: false,
                scores: scores(&score),
                seconds,
                parameters: Some(parameters),
            };
            hear(&format!("{name}: {seconds:.1} s"));
            sections.push((name.to_string(), score));
            rows.push(row);
            let validation = validation.unwrap_or_default();
            let is_better = best.as_ref().is_none_or(|(of_best, ..)| {
                crate::report::better_first(&validation, of_best).is_lt()
            });
            if is_better {
                best = Some((validation, name.to_string(), fitted));
            }
        }
        let none = || ForgeError::config("split", "no rounds", "at least one");
        let (_, best, fitted) = best.ok_or_else(none)?;
        if self.config.baselines {
            self.baselines(&table, &folds, &fitted.levels(), |row, score| {
                hear(&format!("baseline {}: {:.1} s", row.name, row.seconds));
                sections.push((format!("({})", row.name), score));
                rows.push(row);
            })
            .map_err(of_file)?;
        }
        LeaderboardRow::sort(&mut rows);
        let test = folds.last().and_then(|fold| fold.test);
        let windows = fitted.windows(&table, &test.unwrap_or_default())?;
        let forecasts = fitted.forecast(&windows)?;
        let summary = ForecastSummary {
            leaderboard: rows,
            best,
            fitted,
            forecasts,
            notes,
            windows: test_windows,
        };
        let report = Report {
            title: "Forecasts".into(),
            notes: summary.notes.clone(),
            leaderboard: summary.leaderboard.clone(),
            sections: charts::sections(&summary, &sections),
        };
        files::write(out, &summary, &report)?;
        Ok(summary)
    }

    fn table(&self) -> Result<(Table, String), Error> {
        match &self.config.data {
            None => {
                let bars = &self.config.synthetic;
                Ok((bars.generate()?, bars.label()))
            }
            Some(path) => {
                let (table, _) = read_table(path, &self.config.read)?;
                let name = forge_data::printable(&path.display().to_string()).into_owned();
                Ok((table, format!("data: {name}")))
            }
        }
    }

    fn fit(
        &self,
        choice: &SeriesModelChoice,
        table: &Arc<SeriesTable>,
        fold: &Fold,
        device: &Device,
    ) -> Result<Fitted, Error> {
        let forecaster = Forecaster::with_config(self.config.forecaster_of(choice))?;
        let options = FitOptions {
            read: self.config.read.clone(),
            ..FitOptions::default()
        };
        let (fitted, report) = forecaster.fit_fold(table, fold, device, options)?;
        let none = || ForgeError::config("split", "without a test part", "one with a test part");
        let windows = fitted.windows(table, &fold.test.ok_or_else(none)?)?;
        Ok(Fitted {
            score: fitted.score(&windows)?,
            seconds: report.seconds,
            parameters: report.parameters,
            validation: report.scores,
            notes: report.notes,
            windows: windows.len(),
            fitted,
        })
    }

    fn baselines(
        &self,
        table: &Arc<SeriesTable>,
        folds: &[Fold],
        levels: &[f64],
        mut take: impl FnMut(LeaderboardRow, ForecastScore),
    ) -> Result<(), Error> {
        let config = &self.config.forecaster;
        for mut baseline in baseline::all(table) {
            let start = Instant::now();
            let mut all: Option<ForecastScore> = None;
            for fold in folds {
                let scaler = Arc::new(SeriesScaler::fit(table, &config.scaler, &fold.train)?);
                let mut windows = config.windows();
                windows.calendar = false;
                let windows = Windows::new(table, &windows)?.with_scaler(&scaler)?;
                let score = baseline::score(baseline.as_mut(), &windows, fold, levels)?;
                match &mut all {
                    None => all = Some(score),
                    Some(all) => all.join(&score),
                }
            }
            let Some(score) = all else { continue };
            let row = LeaderboardRow {
                name: baseline.name().into(),
                baseline: true,
                scores: scores(&score),
                seconds: start.elapsed().as_secs_f64(),
                parameters: None,
            };
            take(row, score);
        }
        Ok(())
    }
}
