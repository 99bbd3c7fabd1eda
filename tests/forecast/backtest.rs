//! Walks through time.

use volatilityforge::data::{TimeSplit, TrainSpan};
use volatilityforge::forecast::Forecaster;
use volatilityforge::{Column, DeviceName, Table};

use super::{DAY, quick, waves};

fn walk() -> TimeSplit {
    walk_by(30)
}

/// With test parts of so many steps.
fn walk_by(test: usize) -> TimeSplit {
    TimeSplit::WalkForward {
        folds: Some(2),
        test,
        step: None,
        first_test: None,
        train: TrainSpan::Expanding,
        validation: 30,
        embargo: 0,
    }
}

#[test]
fn a_test_part_shorter_than_the_horizon_is_refused_before_training() {
    // The horizon is 3.
    let short = walk_by(2);
    let device = DeviceName::Flex.open().unwrap();
    let forecaster = Forecaster::with_config(quick()).unwrap();
    let error = forecaster
        .backtest(&waves(220), &short, &device)
        .unwrap_err();
    assert!(error.is_config(), "{error}");
    assert!(error.to_string().contains("at least 3 steps"), "{error}");
}

#[test]
fn a_walk_measures_what_it_has_not_seen() {
    let device = DeviceName::Flex.open().unwrap();
    let found = Forecaster::with_config(quick())
        .unwrap()
        .backtest(&waves(220), &walk(), &device)
        .unwrap();
    assert_eq!(found.folds.len(), 2);
    let scores = found.score.scaled.all();
    // 28 windows of three steps in each of two series and two rounds.
    assert_eq!(scores.count, 28 * 3 * 2 * 2);
    assert!(scores.mse < 0.2, "{scores:?}");
    let own = found.score.own.all();
    assert!(own.mase.is_some_and(|mase| mase < 0.5), "{own:?}");
    let band = own.intervals[0];
    assert!((band.coverage - 0.9).abs() < 0.08, "{band:?}");
    assert!(own.direction.is_some_and(|d| d.accuracy > 0.9), "{own:?}");
}

/// What happens in the last test part changes nothing that was said before it.
#[test]
fn the_future_changes_nothing() {
    let device = DeviceName::Flex.open().unwrap();
    let mut config = quick();
    config.training.epochs = Some(3);
    let forecaster = Forecaster::with_config(config).unwrap();
    let table = waves(150);
    let one = forecaster.backtest(&table, &walk(), &device).unwrap();
    // The second round's test part begins at day 120.
    let values = |name: &str| match &table.column(name).unwrap().values {
        volatilityforge::data::ColumnValues::Numeric(values) => values.clone(),
        _ => vec![],
    };
    let mut value = values("value");
    for day in 120..150 {
        value[day] *= -3.0;
        value[150 + day] = 1e9;
    }
    let changed = Table::new(vec![
        table.column("id").unwrap().clone(),
        Column::date_time("date", (0..150).chain(0..150).map(|i| i * DAY).collect()),
        Column::numeric("value", value),
        Column::numeric("volume", values("volume")),
    ])
    .unwrap();
    let other = forecaster.backtest(&changed, &walk(), &device).unwrap();
    assert_eq!(one.folds[0].forecasts, other.folds[0].forecasts);
    let first = |walk: &volatilityforge::forecast::Backtest| {
        let all = walk.folds[1].forecasts.windows.iter();
        all.filter(|w| w.origin == 119 * DAY)
            .map(|w| (w.point.clone(), w.quantiles.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(first(&one), first(&other));
    assert_eq!(first(&one).len(), 2);
}

/// On returns without memory no direction is better than a coin.
#[test]
fn shuffled_returns_have_no_direction() {
    let device = DeviceName::Flex.open().unwrap();
    let mut state = 11_u64;
    let mut price = 100.0;
    let prices: Vec<f64> = (0..500)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(3);
            let u = (state >> 40) as f64 / (1_u64 << 24) as f64;
            price *= 1.0 + 0.02 * (u - 0.5);
            price
        })
        .collect();
    let table = Table::new(vec![
        Column::date_time("date", (0..500).map(|i| i * DAY).collect()),
        Column::numeric("close", prices),
    ])
    .unwrap();
    let mut config = quick();
    config.series = volatilityforge::data::SeriesConfig::new("date", ["close"]);
    config.horizon = 1.into();
    let split = TimeSplit::WalkForward {
        folds: Some(2),
        test: 100,
        step: None,
        first_test: None,
        train: TrainSpan::Expanding,
        validation: 50,
        embargo: 0,
    };
    let forecaster = Forecaster::with_config(config).unwrap();
    let found = forecaster.backtest(&table, &split, &device).unwrap();
    let direction = found.score.own.all().direction.unwrap();
    let (low, high) = direction.interval();
    assert!(low <= 0.5 && 0.5 <= high, "{direction:?}");
}
