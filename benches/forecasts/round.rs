//! Fitting and forecasting, round by round of a set's split.

use std::path::Path;
use std::sync::Arc;

use volatilityforge::burn::tensor::Device;
use volatilityforge::data::{SeriesScaler, SeriesTable, WindowConfig, Windows};
use volatilityforge::forecast::baseline::{self as baselines, Har};
use volatilityforge::forecast::{ForecastScore, Forecaster, WindowForecast};
use volatilityforge::nn::ForgeError;
use volatilityforge::train::metric::Scores;
use volatilityforge::{Error, FitOptions};

use crate::set::{Inputs, Loaded, Measure};

/// What came of all rounds.
pub(crate) struct Rounds {
    pub(crate) score: ForecastScore,
    /// Where the measure needs them.
    pub(crate) forecasts: Vec<WindowForecast>,
    pub(crate) windows: usize,
    pub(crate) epochs: Vec<usize>,
    pub(crate) parameters: usize,
    pub(crate) training_seconds: f64,
    pub(crate) notes: Vec<String>,
    /// Of each fit, on its validation windows and on the model's scale.
    pub(crate) validation: Vec<Scores>,
}

const BASELINES: [&str; 9] = [
    "naive",
    "seasonal_naive",
    "drift",
    "ridge",
    "boosting",
    "har",
    "log_har",
    "log_har_inputs",
    "garch",
];

pub(crate) fn is_baseline(model: &str) -> bool {
    BASELINES.contains(&model)
}

/// A network; checkpoints of each round lie in a folder of its own.
pub(crate) fn network(loaded: &Loaded, device: &Device, folder: &Path) -> Result<Rounds, Error> {
    let forecaster = Forecaster::with_config(loaded.config.clone())?;
    let options = |round: usize| FitOptions {
        checkpoints: Some(folder.join(round.to_string())),
        resume: true,
        ..FitOptions::default()
    };
    let walk = forecaster.backtest_with(&loaded.table, &loaded.split, device, options)?;
    let mut notes: Vec<String> = vec![];
    for note in walk.folds.iter().flat_map(|fold| &fold.report.notes) {
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    let reports = || walk.folds.iter().map(|fold| &fold.report);
    Ok(Rounds {
        epochs: reports().map(|report| report.history.len()).collect(),
        parameters: reports().map(|report| report.parameters).max().unwrap_or(0),
        training_seconds: reports().map(|report| report.seconds).sum(),
        notes,
        validation: reports().filter_map(|r| r.scores.clone()).collect(),
        windows: walk.folds.iter().map(|f| f.forecasts.windows.len()).sum(),
        score: walk.score,
        forecasts: walk
            .folds
            .into_iter()
            .flat_map(|fold| fold.forecasts.windows)
            .collect(),
    })
}

/// One of [`BASELINES`].
pub(crate) fn baseline(name: &str, loaded: &Loaded, measure: Measure) -> Result<Rounds, Error> {
    let config = &loaded.config;
    let table = Arc::new(SeriesTable::from_table(&loaded.table, &config.series)?);
    let mut all = baselines::all(&table);
    if let Some(columns) = loaded.inputs.map(Inputs::of_har)
        && !columns.is_empty()
    {
        all.push(Box::new(Har::log().with_inputs(columns.iter().copied())));
    }
    let mut all = all.into_iter();
    let mut baseline = all.find(|b| b.name() == name).ok_or_else(|| {
        let allowed = "a baseline for series like these: variances have har, log_har, with inputs \
                       beside their own past log_har_inputs, with returns garch";
        ForgeError::config("models", name, allowed)
    })?;
    let mut window_config = WindowConfig::new(config.lookback(), config.horizon.clone());
    window_config.calendar = false;
    let levels = match measure {
        Measure::Variance => vec![0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95],
        _ => vec![],
    };
    let none = || ForgeError::config("split", "no rounds", "at least one with a test part");
    let (mut score, mut forecasts, mut count): (Option<ForecastScore>, _, _) = (None, vec![], 0);
    for fold in loaded.split.folds(&table)? {
        let scaler = Arc::new(SeriesScaler::fit(&table, &config.scaler, &fold.train)?);
        let windows = Windows::new(&table, &window_config)?.with_scaler(&scaler)?;
        let of_fold = baselines::score(baseline.as_mut(), &windows, &fold, &levels)?;
        let test = windows.within(&fold.test.ok_or_else(none)?);
        count += test.len();
        if measure.reads_forecasts() {
            let rows: Vec<usize> = (0..test.len()).collect();
            let said = baseline.forecast(&test, &rows)?;
            let cells = said.len() / rows.len().max(1);
            for row in rows {
                let point = said[row * cells..(row + 1) * cells].to_vec();
                forecasts.push(window_forecast(&test, row, point)?);
            }
        }
        match &mut score {
            None => score = Some(of_fold),
            Some(score) => score.join(&of_fold),
        }
    }
    Ok(Rounds {
        score: score.ok_or_else(none)?,
        forecasts,
        windows: count,
        epochs: vec![],
        parameters: 0,
        training_seconds: 0.0,
        notes: vec![],
        validation: vec![],
    })
}

/// What a baseline says of a window of one target, in the form that networks give.
fn window_forecast(
    windows: &Windows,
    row: usize,
    point: Vec<f64>,
) -> Result<WindowForecast, Error> {
    let (table, window) = (windows.table(), windows.window(row));
    let values = table.column(window.series, &table.schema().config.targets[0])?;
    let steps = windows.config().horizon.steps();
    let actual = steps.map(|step| {
        values
            .get(window.origin + step)
            .copied()
            .unwrap_or(f64::NAN)
    });
    Ok(WindowForecast {
        series: table.ids()[window.series].clone(),
        origin: window.time,
        times: windows.forecast_times(row)?,
        point,
        quantiles: vec![],
        up: vec![],
        actual: actual.collect(),
        last: vec![values[window.origin]],
    })
}
