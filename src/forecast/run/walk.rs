//! The run itself.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use burn::tensor::Device;
use forge_data::{Fold, SeriesScaler, SeriesTable, Table, Windows, read_table};
use forge_nn::ForgeError;
use forge_train::StopReason;
use forge_train::metric::Scores;

use super::{ForecastRunConfig, charts, explained, files, scores};
use crate::forecast::{
    FittedForecaster, ForecastScore, ForecastTeacher, Forecaster, Forecasts, SeriesModelChoice,
    baseline,
};
use crate::report::{LeaderboardRow, Report};
use crate::run_folder::{FirstStep, RunFolder};
use crate::{Error, FitOptions, NoteListener};

/// Test windows that the report explains at most.
const EXPLAINED: usize = 256;

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

/// Where a run writes and who hears of it.
pub struct ForecastRunOptions<'a> {
    /// The run's folder; made if absent.
    pub out: PathBuf,
    /// Go on with what is in the folder.
    pub resume: bool,
    /// Set from outside to end after the step in progress with a checkpoint.
    pub stop: Arc<AtomicBool>,
    /// Hears one line at a time.
    pub hear: NoteListener<'a>,
}

impl ForecastRunOptions<'_> {
    /// A new run in `out` that nobody watches.
    #[must_use]
    pub fn new(out: impl Into<PathBuf>) -> Self {
        Self {
            out: out.into(),
            resume: false,
            stop: Arc::default(),
            hear: Box::new(|_| {}),
        }
    }
}

impl std::fmt::Debug for ForecastRunOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ForecastRunOptions")
            .field("out", &self.out)
            .field("resume", &self.resume)
            .finish_non_exhaustive()
    }
}

/// What the models of a run have in common.
struct Common<'a> {
    table: &'a Arc<SeriesTable>,
    folds: &'a [Fold],
    folder: &'a RunFolder,
    device: &'a Device,
    teacher: Option<&'a FittedForecaster>,
    /// Set by the first step that any model trains.
    trained: Arc<AtomicBool>,
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

    /// Fits and measures everything, and writes to the run's folder: `report.html`, `metrics.json`,
    /// `forecasts.csv` of the best model, `model.safetensors`, `config.toml`, and checkpoints of each
    /// model and round. Every file is there whole or not at all, and a start that fails before its
    /// first step leaves nothing.
    ///
    /// Returns nothing when it was stopped from outside; the folder can be resumed then, and ends with
    /// the same bits.
    ///
    /// # Errors
    /// Bad data (naming file, column, series and time), settings that do not fit them, training that
    /// cannot go on (of several models only where that is so of all: a note names the others), or a folder that cannot be written, holds a run or is in use. When resuming: a
    /// folder that holds no run, saying what is missing; settings or data other than those that it was
    /// started with. A teacher of other series, steps or scales, as [`Forecaster::distill`].
    pub fn run(
        &self,
        device: &Device,
        mut options: ForecastRunOptions<'_>,
    ) -> Result<Option<ForecastSummary>, Error> {
        let result = self.run_in(device, &mut options);
        result.map_err(|error| match &self.config.data {
            Some(path) => error.in_file(path),
            None => error,
        })
    }

    fn run_in(
        &self,
        device: &Device,
        options: &mut ForecastRunOptions<'_>,
    ) -> Result<Option<ForecastSummary>, Error> {
        let (table, source) = self.table()?;
        let table = Arc::new(self.config.forecaster.series_of(&table)?);
        let mut notes = vec![source];
        notes.extend(table.report().to_string().lines().map(String::from));
        notes.iter().for_each(|note| (options.hear)(note));
        let folds = self.config.split.folds(&table)?;
        if let Some(first) = self.config.models.first() {
            let forecaster = Forecaster::with_config(self.config.forecaster_of(first))?;
            forecaster.check_tests(&table, &folds)?;
        }
        let teacher = self.config.teacher.as_ref();
        let teacher = teacher
            .map(|teacher| FittedForecaster::load(&teacher.file, device))
            .transpose()?;
        let folder = match options.resume {
            true => RunFolder::resume(&options.out, &self.config)?,
            false => RunFolder::begin(&options.out, &self.config)?,
        };
        let trained = Arc::new(AtomicBool::new(options.resume));
        let run = Common {
            table: &table,
            folds: &folds,
            folder: &folder,
            device,
            teacher: teacher.as_ref(),
            trained: Arc::clone(&trained),
        };
        let result = self.models(&run, notes, options);
        if result.is_err() && !trained.load(Ordering::Relaxed) {
            folder.abandon();
        }
        result
    }

    fn models(
        &self,
        run: &Common<'_>,
        mut notes: Vec<String>,
        options: &mut ForecastRunOptions<'_>,
    ) -> Result<Option<ForecastSummary>, Error> {
        let (table, folds) = (run.table, run.folds);
        let mut rows: Vec<LeaderboardRow> = Vec::new();
        let mut best: Option<(Scores, String, FittedForecaster)> = None;
        let mut sections = Vec::new();
        let mut test_windows = 0;
        let mut failed: Option<Error> = None;
        'models: for choice in &self.config.models {
            let name = choice.name();
            let mut all: Option<ForecastScore> = None;
            let (mut seconds, mut parameters, mut last) = (0.0, 0, None);
            let mut windows = 0;
            for round in 0..folds.len() {
                let fitted = match self.fit(choice, run, round, options) {
                    Ok(Some(fitted)) => fitted,
                    Ok(None) => return Ok(None),
                    // One that diverges does not take what the others have learned with it.
                    Err(error) if error.is_training() && self.config.models.len() > 1 => {
                        let note = format!("{name} is not among the models: {error}");
                        (options.hear)(&note);
                        notes.push(note);
                        failed.get_or_insert(error);
                        continue 'models;
                    }
                    Err(error) => return Err(error),
                };
                for note in fitted.notes {
                    if !notes.contains(&note) {
                        (options.hear)(&note);
                        notes.push(note);
                    }
                }
                seconds += fitted.seconds;
                parameters = fitted.parameters;
                windows += fitted.windows;
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
            test_windows = windows;
            (options.hear)(&format!("{name}: {seconds:.1} s"));
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
        let none = || ForgeError::config("split", "no rounds", "at least one").into();
        let (_, best, fitted) = best.ok_or_else(|| failed.unwrap_or_else(none))?;
        if self.config.baselines {
            self.baselines(table, folds, &fitted.levels(), |row, score| {
                (options.hear)(&format!("baseline {}: {:.1} s", row.name, row.seconds));
                sections.push((format!("({})", row.name), score));
                rows.push(row);
            })?;
        }
        LeaderboardRow::sort(&mut rows);
        let test = folds.last().and_then(|fold| fold.test);
        let windows = fitted.windows(table, &test.unwrap_or_default())?;
        let forecasts = fitted.forecast(&windows)?;
        let summary = ForecastSummary {
            leaderboard: rows,
            best,
            fitted,
            forecasts,
            notes,
            windows: test_windows,
        };
        let mut sections = charts::sections(&summary, &sections);
        if summary.fitted.explains() {
            let every = windows.len().div_ceil(EXPLAINED).max(1);
            let rows: Vec<usize> = (0..windows.len()).step_by(every).collect();
            let explained = summary.fitted.explain_some(&windows, &rows)?;
            sections.push(explained::section(&summary.best, &explained));
        }
        let report = Report {
            title: "Forecasts".into(),
            notes: summary.notes.clone(),
            leaderboard: summary.leaderboard.clone(),
            sections,
        };
        files::write(run.folder, &summary, &report)?;
        Ok(Some(summary))
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

    /// A model in a round; nothing where it was stopped from outside.
    fn fit(
        &self,
        choice: &SeriesModelChoice,
        run: &Common<'_>,
        round: usize,
        options: &ForecastRunOptions<'_>,
    ) -> Result<Option<Fitted>, Error> {
        let forecaster = Forecaster::with_config(self.config.forecaster_of(choice))?;
        let fold = &run.folds[round];
        let checkpoints = run.folder.checkpoints(choice.name());
        let fit = FitOptions {
            observers: vec![
                Box::new(FirstStep(Arc::clone(&run.trained))),
                Box::new(run.folder.metrics(&format!("{}.{round}", choice.name()))),
            ],
            checkpoints: Some(checkpoints.join(round.to_string())),
            resume: options.resume,
            stop: Some(Arc::clone(&options.stop)),
            read: self.config.read.clone(),
            ..FitOptions::default()
        };
        let how = self.config.teacher.as_ref().map(|teacher| teacher.how);
        let teacher = run.teacher.zip(how);
        let teacher = teacher.map(|(model, how)| ForecastTeacher { model, how });
        let (fitted, report) = forecaster.fit_fold(run.table, fold, run.device, fit, teacher)?;
        if report.stopped == StopReason::Interrupted || options.stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let none = || ForgeError::config("split", "without a test part", "one with a test part");
        let windows = fitted.windows(run.table, &fold.test.ok_or_else(none)?)?;
        Ok(Some(Fitted {
            score: fitted.score(&windows)?,
            seconds: report.seconds,
            parameters: report.parameters,
            validation: report.scores,
            notes: report.notes,
            windows: windows.len(),
            fitted,
        }))
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
