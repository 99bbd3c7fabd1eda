//! Forecasters that are trained again, to the end of what is known.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use volatilityforge::data::{ColumnValues, SplitPart};
use volatilityforge::forecast::{
    FittedForecaster, ForecastFitReport, Forecaster, ForecasterConfig, PointForecast,
};
use volatilityforge::train::StopReason;
use volatilityforge::{DeviceName, FitOptions, Table};

use super::{quick, waves};
use crate::refit::StopAfter;

const DAYS: usize = 120;
const HELD_OUT: usize = 24;

fn settings(refit: bool) -> ForecasterConfig {
    let mut config = quick();
    config.training.epochs = Some(6);
    config.validation = SplitPart::Steps(HELD_OUT);
    config.point = PointForecast::Mean;
    config.refit = refit;
    config
}

fn fit(
    config: ForecasterConfig,
    table: &Table,
    options: FitOptions<'_>,
) -> (FittedForecaster, ForecastFitReport) {
    let device = DeviceName::Flex.open().unwrap();
    let forecaster = Forecaster::with_config(config).unwrap();
    forecaster.fit_with(table, &device, options).unwrap()
}

/// All that is forecast from the table's end.
fn said(fitted: &FittedForecaster, table: &Table) -> Vec<f64> {
    let forecasts = fitted.predict(table).unwrap();
    let windows = forecasts.windows.iter();
    windows
        .flat_map(|window| window.point.iter().chain(&window.quantiles).copied())
        .collect()
}

#[test]
fn the_second_run_learns_the_newest_windows_and_keeps_what_validation_showed() {
    // What is held out is of the opposite sign: the two runs cannot but differ.
    let mut columns = waves(DAYS).columns().to_vec();
    let value = columns.iter_mut().find(|column| column.name == "value");
    if let ColumnValues::Numeric(values) = &mut value.unwrap().values {
        for (row, value) in values.iter_mut().enumerate() {
            let level = if row < DAYS { 10.0 } else { 500.0 };
            if row % DAYS >= DAYS - HELD_OUT {
                *value = 2.0 * level - *value;
            }
        }
    }
    let table = Table::new(columns).unwrap();
    let (first, without) = fit(settings(false), &table, FitOptions::default());
    let (second, report) = fit(settings(true), &table, FitOptions::default());
    let refit = report.refit.unwrap();
    assert_eq!(without.refit, None);
    assert_eq!(
        (&report.scores, report.windows),
        (&without.scores, without.windows)
    );
    // Of both series one for each step that is held out, and those across the cut.
    assert_eq!(refit.rows, report.windows + 2 * HELD_OUT);
    let scores: Vec<f64> = without.history.iter().filter_map(|r| r.score()).collect();
    let best = (0..scores.len()).min_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    assert_eq!(refit.epochs, best.unwrap() + 1);
    let note = format!("all {} windows for training and validation", refit.rows);
    assert!(
        report.notes.iter().any(|n| n.contains(&note)),
        "{:?}",
        report.notes
    );
    assert_ne!(said(&second, &table), said(&first, &table));
    assert_eq!(second.conformal(), first.conformal());
    assert_eq!(second.mean_correction(), first.mean_correction());
    assert!(second.mean_correction().is_some() && second.conformal().is_some());

    // Without anything to see the best epoch by there is one run.
    let mut blind = settings(true);
    blind.validation = SplitPart::Steps(0);
    blind.point = PointForecast::Median;
    let (_, report) = fit(blind, &table, FitOptions::default());
    assert_eq!(report.refit, None);
}

#[test]
fn networks_of_both_runs_go_on_after_a_stop_bit_by_bit() {
    let table = waves(DAYS);
    let config = || {
        let mut config = settings(true);
        config.ensemble = 2;
        config
    };
    let (whole, report) = fit(config(), &table, FitOptions::default());
    assert_eq!(whole.members().len(), 2);
    for (run, step) in [(1, 3), (2, 1), (3, 2)] {
        let folder = tempfile::tempdir().unwrap();
        let flag = Arc::new(AtomicBool::new(false));
        let options = FitOptions {
            observers: vec![Box::new(StopAfter::new(run, step, &flag))],
            checkpoints: Some(folder.path().into()),
            stop: Some(flag),
            ..FitOptions::default()
        };
        let (_, cut) = fit(config(), &table, options);
        assert_eq!(cut.stopped, StopReason::Interrupted, "{run}");
        assert_eq!(cut.refit, None);
        let options = FitOptions {
            checkpoints: Some(folder.path().into()),
            resume: true,
            ..FitOptions::default()
        };
        let (resumed, again) = fit(config(), &table, options);
        assert_eq!(said(&resumed, &table), said(&whole, &table), "{run}");
        assert_eq!(again.refit, report.refit);
    }
}

#[test]
fn a_budget_and_a_second_run_do_not_go_together() {
    let mut config = settings(true);
    config.training.max_seconds = Some(5.0);
    let error = config.validate().unwrap_err().to_string();
    assert!(
        error.contains("refit") && error.contains("max_seconds"),
        "{error}"
    );
}
