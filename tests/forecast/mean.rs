//! Means of forecasts, and networks together.

use std::sync::Arc;

use volatilityforge::data::{ColumnValues, SeriesTable, SeriesTransform, SplitPart, TimeSplit};
use volatilityforge::forecast::{
    FittedForecaster, Forecaster, ForecasterConfig, PointForecast, WindowForecast,
};
use volatilityforge::{Column, DeviceName, Table};

use super::{DAY, quick};

/// Two series of `n` days without any order: each is its own level times one or ten, so that the
/// median is far from the mean.
fn skewed(n: usize) -> Table {
    let mut state = 11_u64;
    let mut often = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 40) as f64 / (1_u64 << 24) as f64
    };
    let (mut id, mut time, mut value) = (vec![], vec![], vec![]);
    for (name, level) in [("a", 1.0), ("b", 1_000.0)] {
        for i in 0..n {
            id.push(Some(name));
            time.push(i as i64 * DAY);
            // Never 0, and with a spread of its own below and above.
            let rare = if often() < 0.25 { 10.0 } else { 1.0 };
            value.push(level * rare * (0.9 + 0.2 * often()));
        }
    }
    Table::new(vec![
        Column::categorical("id", id),
        Column::date_time("date", time),
        Column::numeric("value", value.clone()),
        Column::numeric("volume", value),
    ])
    .unwrap()
}

fn of_logarithms(transform: SeriesTransform) -> ForecasterConfig {
    let mut config = quick();
    config.model = "dlinear".into();
    config.training.epochs = Some(4);
    config.scaler = config.scaler.with_transform("value", transform);
    config
}

/// The forecasts of the windows that a fit holds out.
fn held_out(fitted: &FittedForecaster, table: &Table) -> Vec<WindowForecast> {
    let config = quick();
    let series = Arc::new(SeriesTable::from_table(table, &config.series).unwrap());
    let split = TimeSplit::HoldOut {
        validation: config.validation,
        test: SplitPart::Steps(0),
        embargo: 0,
    };
    let fold = split.folds(&series).unwrap().remove(0);
    let windows = fitted.windows(&series, &fold.validation.unwrap()).unwrap();
    fitted.forecast(&windows).unwrap().windows
}

/// The mean over windows and steps of `of(series, actual, said)`.
fn mean(windows: &[WindowForecast], of: impl Fn(&str, f64, f64) -> f64) -> f64 {
    let cells = windows.iter().flat_map(|window| {
        let cells = window.actual.iter().zip(&window.point);
        cells.map(|(actual, said)| of(&window.series, *actual, *said))
    });
    let cells: Vec<f64> = cells.collect();
    cells.iter().sum::<f64>() / cells.len() as f64
}

/// What happened over what was said.
fn ratio(fitted: &FittedForecaster, table: &Table) -> f64 {
    mean(&held_out(fitted, table), |_, actual, said| actual / said)
}

/// What happened less what was said, on the model's scale.
fn error(fitted: &FittedForecaster, table: &Table) -> f64 {
    let scales = &fitted.scaler().columns()[0].series;
    mean(&held_out(fitted, table), |series, actual, said| {
        (actual - said) / scales[series].spread
    })
}

#[test]
fn under_a_logarithm_the_mean_is_the_medians_times_what_was_held_out() {
    let device = DeviceName::Flex.open().unwrap();
    let table = skewed(200);
    for transform in [SeriesTransform::Log, SeriesTransform::Returns] {
        let mut config = of_logarithms(transform);
        let fit = |config: &ForecasterConfig| {
            let forecaster = Forecaster::with_config(config.clone()).unwrap();
            forecaster.fit(&table, &device).unwrap()
        };
        let median = fit(&config);
        assert!(median.mean_correction().is_none());
        config.point = PointForecast::Mean;
        let mean = fit(&config);
        let correction = mean.mean_correction().unwrap();
        assert!(correction.windows() > 10 && correction.shifts().len() == 3);
        // What the smearing estimate is defined by.
        let after = ratio(&mean, &table);
        assert!((after - 1.0).abs() < 1e-4, "{transform:?}: {after}");
        let before = ratio(&median, &table);
        assert!((before - 1.0).abs() > 0.01, "{transform:?}: {before}");
        // The one factor for both series, whatever their units; quantiles are as they were.
        let (said, other) = (
            mean.predict(&table).unwrap(),
            median.predict(&table).unwrap(),
        );
        for (mean, median) in said.windows.iter().zip(&other.windows) {
            assert_eq!(mean.quantiles, median.quantiles);
            for (h, shift) in correction.shifts().iter().enumerate() {
                let factor = mean.point[h] / median.point[h];
                assert!((factor / shift.exp() - 1.0).abs() < 1e-5, "{factor}");
            }
        }
    }
}

#[test]
fn as_it_is_the_mean_is_the_median_and_the_mean_error() {
    let device = DeviceName::Flex.open().unwrap();
    let table = skewed(200);
    let mut config = of_logarithms(SeriesTransform::None);
    config.point = PointForecast::Mean;
    let fit = |config: &ForecasterConfig| {
        let forecaster = Forecaster::with_config(config.clone()).unwrap();
        forecaster.fit(&table, &device).unwrap()
    };
    let fitted = fit(&config);
    let after = error(&fitted, &table);
    assert!(after.abs() < 1e-5, "{after}");
    config.point = PointForecast::Median;
    let before = error(&fit(&config), &table);
    assert!(before.abs() > 0.05, "{before}");
}

#[test]
fn by_all_is_by_training_and_held_out_steps() {
    let device = DeviceName::Flex.open().unwrap();
    let table = skewed(200);
    let mut config = of_logarithms(SeriesTransform::Log);
    let mut fit = |point| {
        config.point = point;
        let forecaster = Forecaster::with_config(config.clone()).unwrap();
        let (fitted, report) = forecaster
            .fit_with(&table, &device, Default::default())
            .unwrap();
        (fitted.mean_correction().unwrap().clone(), report.windows)
    };
    let ((held_out, _), (all, trained)) = (fit(PointForecast::Mean), fit(PointForecast::MeanByAll));
    assert_eq!(all.windows(), held_out.windows() + trained);
    assert_ne!(all.shifts(), held_out.shifts());
}

#[test]
fn a_file_keeps_the_correction_and_all_networks() {
    let device = DeviceName::Flex.open().unwrap();
    let table = skewed(120);
    let mut config = of_logarithms(SeriesTransform::Log);
    config.training.epochs = Some(2);
    config.point = PointForecast::Mean;
    let fit = |config: &ForecasterConfig| {
        let forecaster = Forecaster::with_config(config.clone()).unwrap();
        forecaster.fit(&table, &device).unwrap()
    };
    let alone = fit(&config).predict(&table).unwrap();
    config.ensemble = 3;
    let together = fit(&config);
    assert_eq!(together.members().len(), 3);
    let said = together.predict(&table).unwrap();
    assert_ne!(said, alone);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("forecaster.safetensors");
    together.save(&path).unwrap();
    let again = FittedForecaster::load(&path, &device).unwrap();
    assert_eq!(again.mean_correction(), together.mean_correction());
    assert_eq!(again.predict(&table).unwrap(), said);
    // Its networks are those of the seeds by themselves.
    config.ensemble = 1;
    config.conformal = false;
    config.point = PointForecast::Median;
    let mut sum = 0.0;
    for seed in [0, 1_000, 2_000] {
        config.training.seed = seed;
        let one = fit(&config).predict(&table).unwrap();
        sum += one.windows[0].point[0].ln() / 3.0;
    }
    config.training.seed = 0;
    config.ensemble = 3;
    let mean = fit(&config).predict(&table).unwrap().windows[0].point[0].ln();
    assert!((mean - sum).abs() < 1e-5, "{mean} for {sum}");
}

#[test]
fn an_ensemble_of_none_is_refused() {
    let mut config = quick();
    for ensemble in [0, 101] {
        config.ensemble = ensemble;
        let error = Forecaster::with_config(config.clone())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("ensemble") && error.contains("1 to 100"),
            "{error}"
        );
    }
}

/// The mean comes of every series by itself, though one has logarithms spread twice as far as the other's: the
/// loss is computed in each one's own.
#[test]
fn qlike_forecasts_the_mean_itself() {
    let table = skewed(400);
    let ColumnValues::Numeric(mut value) = table.column("value").unwrap().values.clone() else {
        panic!("no numbers")
    };
    value[400..]
        .iter_mut()
        .for_each(|v| *v = (*v / 1_000.0).powi(2));
    let columns = table.columns().iter().map(|column| match &*column.name {
        "value" => Column::numeric("value", value.clone()),
        _ => column.clone(),
    });
    let table = Table::new(columns.collect()).unwrap();
    let mut config = of_logarithms(SeriesTransform::Log);
    config.training.epochs = Some(20);
    let device = DeviceName::Flex.open().unwrap();
    let mut ratios = |objective: &str| {
        config.objective = Some(objective.parse().unwrap());
        let forecaster = Forecaster::with_config(config.clone()).unwrap();
        let (fitted, report) = forecaster
            .fit_with(&table, &device, Default::default())
            .unwrap();
        let said = held_out(&fitted, &table);
        let of = |id: &str| {
            let own: Vec<WindowForecast> =
                said.iter().filter(|w| w.series == id).cloned().collect();
            mean(&own, |_, y, f| y / f)
        };
        let qlike = mean(&said, |_, y, f| y / f - (y / f).ln() - 1.0);
        ([of("a"), of("b")], qlike, report.scores.unwrap())
    };
    let (mean, qlike, scores) = ratios("regression:qlike");
    // Of the squared error of logarithms the geometric mean comes: of a quarter of tens and three of ones it
    // is 1.8 times too low, of their squares 8.1 times, in whatever sample of them.
    let (geometric, of_squares, _) = ratios("regression:mse");
    let [a, b] = [geometric[0] / mean[0], geometric[1] / mean[1]];
    assert!(
        (1.4..2.5).contains(&a) && (5.0..13.0).contains(&b),
        "{a} {b}"
    );
    assert!(qlike < of_squares, "{qlike} {of_squares}");
    // The held-out steps are judged by the same QLIKE, which the run goes by.
    let judged = scores.get("qlike").unwrap();
    assert!((judged / qlike - 1.0).abs() < 1e-3, "{judged} {qlike}");
}

#[test]
fn qlike_is_of_targets_under_a_logarithm() {
    let refused =
        |config: ForecasterConfig| Forecaster::with_config(config).unwrap_err().to_string();
    let mut plain = of_logarithms(SeriesTransform::None);
    plain.objective = Some("regression:qlike".parse().unwrap());
    let error = refused(plain);
    assert!(
        error.contains("objective.loss") && error.contains("'value'"),
        "{error}"
    );
    let mut scaled = of_logarithms(SeriesTransform::Log);
    scaled.objective = Some("regression:qlike:2".parse().unwrap());
    assert!(refused(scaled).contains("objective.loss.scale"));
}
