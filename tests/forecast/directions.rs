//! Directions of what has none.

use std::sync::Arc;

use volatilityforge::data::{
    ScalerConfig, SeriesConfig, SeriesScaler, SeriesTable, SplitPart, TimeSplit, WindowConfig,
    Windows,
};
use volatilityforge::forecast::{Forecaster, ForecasterConfig, baseline};
use volatilityforge::models::SeriesModelConfig;
use volatilityforge::train::metric::DirectionAccuracy;
use volatilityforge::{Column, DeviceName, Strategy, Table};

use super::DAY;

const DAYS: usize = 320;

/// Prices whose returns are drawn one by one, and the next day's return.
fn prices() -> Table {
    let mut state = 23_u64;
    let mut draw = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(3);
        0.02 * ((state >> 40) as f64 / (1_u64 << 24) as f64 - 0.5)
    };
    let returns: Vec<f64> = (0..=DAYS).map(|_| draw()).collect();
    let mut price = 100.0;
    let close = returns[..DAYS].iter().map(|r| {
        price *= 1.0 + r;
        price
    });
    Table::new(vec![
        Column::date_time("date", (0..DAYS as i64).map(|i| i * DAY).collect()),
        Column::numeric("close", close.collect()),
        Column::numeric("today", returns[..DAYS].to_vec()),
    ])
    .unwrap()
}

fn accuracy(model: &str, known: bool, epochs: usize) -> DirectionAccuracy {
    let mut series = SeriesConfig::new("date", ["close"]);
    if known {
        series = series.with_known(["today"]);
    }
    let mut config = ForecasterConfig::new(series, 1);
    config.model = model.into();
    config.strategy = Strategy::Fast;
    config.lookback = Some(16);
    config.calendar = false;
    config.training.epochs = Some(epochs);
    config.training.batch_size = Some(64);
    config.scaler = config
        .scaler
        .with_transform("close", volatilityforge::data::SeriesTransform::Returns);
    let split = TimeSplit::HoldOut {
        validation: SplitPart::Steps(32),
        test: SplitPart::Steps(128),
        embargo: 0,
    };
    let device = DeviceName::Flex.open().unwrap();
    let forecaster = Forecaster::with_config(config).unwrap();
    let walk = forecaster.backtest(&prices(), &split, &device).unwrap();
    walk.score.own.all().direction.unwrap()
}

/// Of returns without memory no forecaster knows the direction: what does has looked ahead.
#[test]
fn no_forecaster_knows_the_direction_of_returns_without_memory() {
    for model in SeriesModelConfig::NAMES {
        let found = accuracy(model, false, 8);
        let off = (found.accuracy - 0.5).abs() / found.standard_error;
        assert!(off < 3.0, "{model}: {found:?}");
    }
}

/// The measure sees it where the answer is among the inputs.
#[test]
fn a_forecaster_that_is_told_the_answer_is_found_out() {
    let found = accuracy("tide", true, 30);
    assert!(found.accuracy > 0.9, "{found:?}");
}

/// A change is one from the last price that was seen, whoever forecasts, also where the day itself has none.
#[test]
fn baselines_are_asked_for_as_many_directions_as_networks() {
    let values = (0..120).map(|day| match day % 5 {
        3 => f64::NAN,
        _ => 100.0 + f64::from(day % 7) + 0.1 * f64::from(day),
    });
    let table = Table::new(vec![
        Column::date_time("date", (0..120).map(|i| i * DAY).collect()),
        Column::numeric("close", values.collect()),
    ])
    .unwrap();
    let series = SeriesConfig::new("date", ["close"]);
    let table = Arc::new(SeriesTable::from_table(&table, &series).unwrap());
    let split = TimeSplit::HoldOut {
        validation: SplitPart::Steps(20),
        test: SplitPart::Steps(30),
        embargo: 0,
    };
    let fold = &split.folds(&table).unwrap()[0];
    let scaler = SeriesScaler::fit(&table, &ScalerConfig::default(), &fold.train).unwrap();
    let windows = Windows::new(&table, &WindowConfig::new(14, 3)).unwrap();
    let windows = windows.with_scaler(&Arc::new(scaler)).unwrap();
    let score = baseline::score(&mut baseline::Drift::default(), &windows, fold, &[0.5]).unwrap();
    let all = score.own.all();
    assert_eq!(all.direction.unwrap().count, all.count);
}
