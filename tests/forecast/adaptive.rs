//! Bands that follow what happens.

use std::sync::Arc;

use volatilityforge::data::{SeriesRow, TimeRange, TimeSplit};
use volatilityforge::forecast::{
    AdaptiveConfig, AdaptiveKind, FittedForecaster, Forecaster, ForecasterConfig,
};
use volatilityforge::train::metric::ForecastScorer;
use volatilityforge::{Column, DeviceName, Table};

use super::{DAY, columns, quick};

/// Two series of noise that is three times as large from day 300 on.
fn louder(n: usize) -> Table {
    let mut state = 5_u64;
    let mut noise = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(9);
        (state >> 40) as f64 / (1_u64 << 24) as f64 - 0.5
    };
    let (mut id, mut time, mut value, mut volume) = (vec![], vec![], vec![], vec![]);
    for name in ["a", "b"] {
        for day in 0..n {
            let size = if day < 300 { 1.0 } else { 3.0 };
            id.push(Some(name));
            time.push(day as i64 * DAY);
            value.push(10.0 + size * (noise() + noise() + noise()));
            volume.push(1e6 + 1e5 * noise());
        }
    }
    Table::new(vec![
        Column::categorical("id", id),
        Column::date_time("date", time),
        Column::numeric("value", value),
        Column::numeric("volume", volume),
    ])
    .unwrap()
}

fn config() -> ForecasterConfig {
    let mut config = quick();
    config.series = columns();
    config.training.epochs = Some(4);
    config.adaptive = Some(AdaptiveConfig::default());
    config
}

fn split() -> TimeSplit {
    TimeSplit::HoldOut {
        validation: volatilityforge::data::SplitPart::Steps(100),
        test: volatilityforge::data::SplitPart::Steps(300),
        embargo: 0,
    }
}

fn ninety(scorer: &ForecastScorer) -> f64 {
    scorer.all().intervals[0].coverage
}

/// Of 90 % bands that follow, and of those that do not.
fn coverages(config: ForecasterConfig) -> (f64, f64) {
    let device = DeviceName::Flex.open().unwrap();
    let walk = Forecaster::with_config(config)
        .unwrap()
        .backtest(&louder(600), &split(), &device)
        .unwrap();
    (
        ninety(&walk.score.own),
        ninety(walk.score.fixed.as_ref().unwrap()),
    )
}

#[test]
fn coverage_comes_back_after_the_noise_grows() {
    let (followed, fixed) = coverages(config());
    assert!(fixed < 0.65, "{fixed}");
    assert!((followed - 0.9).abs() < 0.05, "{followed}");
}

/// By levels too: the errors that are taken of are new ones soon.
#[test]
fn levels_bring_coverage_back_too() {
    let mut config = config();
    config.adaptive = Some(AdaptiveConfig {
        kind: AdaptiveKind::Level,
        rate: Some(0.02),
    });
    let (followed, fixed) = coverages(config);
    assert!(fixed < 0.65, "{fixed}");
    assert!((followed - 0.9).abs() < 0.06, "{followed}");
}

fn at_the_start(table: &Table) -> (FittedForecaster, i64) {
    let device = DeviceName::Flex.open().unwrap();
    let known: Vec<usize> = (0..1_200).filter(|row| row % 600 < 300).collect();
    let known = table.select_rows(&known).unwrap();
    let fitted = Forecaster::with_config(config())
        .unwrap()
        .fit(&known, &device)
        .unwrap();
    (fitted, 300 * DAY)
}

fn value(table: &Table, row: usize) -> f64 {
    match &table.column("value").unwrap().values {
        volatilityforge::data::ColumnValues::Numeric(values) => values[row],
        _ => f64::NAN,
    }
}

/// A stream that is asked at every row says what a walk through the whole table says: no error counts
/// before its step has happened, and every one counts then.
#[test]
fn a_stream_follows_as_the_table_does() {
    let table = louder(600);
    let (fitted, from) = at_the_start(&table);
    let until = 360;
    let known: Vec<usize> = (0..1_200).filter(|row| row % 600 < until + 3).collect();
    let known = Arc::new(
        fitted
            .series_of(&table.select_rows(&known).unwrap())
            .unwrap(),
    );
    let windows = fitted.windows(&known, &TimeRange::from(from)).unwrap();
    let walked = fitted.forecast(&windows).unwrap();
    let first: Vec<usize> = (0..1_200).filter(|row| row % 600 < 300).collect();
    let mut stream = fitted.stream(&table.select_rows(&first).unwrap()).unwrap();
    let mut of_b = walked.windows.iter().filter(|window| window.series == "b");
    for day in 300..=until {
        let said = stream.forecast("b").unwrap();
        // Asked twice it is one forecast.
        assert_eq!(stream.forecast("b").unwrap(), said);
        let walked = of_b.next().unwrap();
        assert_eq!(
            (said.origin, said.origin),
            (walked.origin, (day as i64 - 1) * DAY)
        );
        assert_eq!(said.quantiles, walked.quantiles, "day {day}");
        stream
            .append(&SeriesRow {
                series: "b".into(),
                time: day as i64 * DAY,
                values: vec![
                    ("value".into(), value(&table, 600 + day)),
                    ("volume".into(), 1e6),
                ],
            })
            .unwrap();
    }
}

#[test]
fn what_was_learned_is_saved_and_counts_once() {
    let table = louder(600);
    let (mut fitted, _) = at_the_start(&table);
    let device = DeviceName::Flex.open().unwrap();
    let before = fitted.adaptive().unwrap().reach("a").to_vec();
    fitted.adapt(&table).unwrap();
    let after = fitted.adaptive().unwrap().reach("a").to_vec();
    // The widest band of the first step.
    assert!(after[0] > before[0] + 0.5, "{before:?} {after:?}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("forecaster.safetensors");
    fitted.save(&path).unwrap();
    let mut again = FittedForecaster::load(&path, &device).unwrap();
    assert_eq!(
        again.predict(&table).unwrap(),
        fitted.predict(&table).unwrap()
    );
    again.adapt(&table).unwrap();
    assert_eq!(again.adaptive(), fitted.adaptive());
    let bytes = std::fs::read(&path).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("adaptive") && text.contains("conformal"));
}

#[test]
fn settings_that_cannot_be_are_named() {
    let refused =
        |config: ForecasterConfig| Forecaster::with_config(config).unwrap_err().to_string();
    let mut rate = config();
    rate.adaptive = Some(AdaptiveConfig {
        rate: Some(0.0),
        ..AdaptiveConfig::default()
    });
    let error = refused(rate);
    assert!(
        error.contains("adaptive.rate") && error.contains("above 0"),
        "{error}"
    );
    let mut point = config();
    point.objective = Some("regression".parse().unwrap());
    assert!(refused(point).contains("adaptive"));
    let device = DeviceName::Flex.open().unwrap();
    let mut fixed = config();
    fixed.adaptive = None;
    fixed.training.epochs = Some(1);
    let table = louder(80);
    let mut fitted = Forecaster::with_config(fixed)
        .unwrap()
        .fit(&table, &device)
        .unwrap();
    assert!(fitted.adapt(&table).unwrap_err().is_unsupported());
}
