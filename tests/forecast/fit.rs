//! Fit, predict, file, stream.

use volatilityforge::data::{ColumnValues, SeriesRow, SeriesTable};
use volatilityforge::forecast::{FittedForecaster, Forecaster, ForecasterConfig, baseline};
use volatilityforge::{DeviceName, Strategy, Table};

use super::{DAY, columns, quick, waves};

#[test]
fn it_learns_the_week_and_its_file_says_the_same() {
    let device = DeviceName::Flex.open().unwrap();
    let table = waves(200);
    let (fitted, report) = Forecaster::with_config(quick())
        .unwrap()
        .fit_with(&table, &device, Default::default())
        .unwrap();
    let note = report.notes.iter().any(|n| n.contains("volume"));
    assert!(note, "{:?}", report.notes);
    let next = fitted.predict(&table).unwrap();
    assert_eq!((next.windows.len(), next.steps.len()), (2, 3));
    for (window, (level, height)) in next.windows.iter().zip([(10.0, 1.0), (500.0, 40.0)]) {
        assert_eq!(window.origin, 199 * DAY);
        assert_eq!(window.times, [200 * DAY, 201 * DAY, 202 * DAY]);
        for (h, point) in window.point.iter().enumerate() {
            let wave = ((200 + h) as f64 * std::f64::consts::TAU / 7.0).sin();
            let truth = level + height * wave;
            assert!((point - truth).abs() < 0.3 * height, "{point} for {truth}");
        }
        for cell in window.quantiles.chunks_exact(next.levels.len()) {
            assert!(cell.windows(2).all(|pair| pair[0] <= pair[1]), "{cell:?}");
        }
    }
    let path = tempfile::tempdir().unwrap();
    let path = path.path().join("forecaster.safetensors");
    fitted.save(&path).unwrap();
    let again = FittedForecaster::load(&path, &device).unwrap();
    assert_eq!(again.predict(&table).unwrap(), next);
    let columns = next.to_table().unwrap();
    assert!(columns.column("value_q05").is_ok() && columns.n_rows() == 6);
}

#[test]
fn a_stream_says_what_the_table_says() {
    let device = DeviceName::Flex.open().unwrap();
    let whole = waves(120);
    let rows: Vec<usize> = (0..110).chain(120..230).collect();
    let start = whole.select_rows(&rows).unwrap();
    let mut config = quick();
    config.training.epochs = Some(2);
    let fitted = Forecaster::with_config(config)
        .unwrap()
        .fit(&start, &device)
        .unwrap();
    let mut stream = fitted.stream(&start).unwrap();
    let value = whole.column("value").unwrap();
    let volume = whole.column("volume").unwrap();
    for day in 110..120 {
        stream
            .append(&SeriesRow {
                series: "b".into(),
                time: day as i64 * DAY,
                values: vec![
                    ("value".into(), number(value, 120 + day)),
                    ("volume".into(), number(volume, 120 + day)),
                ],
            })
            .unwrap();
    }
    let streamed = stream.forecast("b").unwrap();
    let batch = fitted.predict(&whole).unwrap();
    assert_eq!(streamed, batch.windows[1]);
}

fn number(column: &volatilityforge::Column, row: usize) -> f64 {
    match &column.values {
        volatilityforge::data::ColumnValues::Numeric(values) => values[row],
        _ => f64::NAN,
    }
}

#[test]
fn the_same_seed_gives_the_same_forecaster() {
    let device = DeviceName::Flex.open().unwrap();
    let table = waves(80);
    let mut config = quick();
    config.training.epochs = Some(2);
    let fit = || {
        let forecaster = Forecaster::with_config(config.clone()).unwrap();
        forecaster
            .fit(&table, &device)
            .unwrap()
            .predict(&table)
            .unwrap()
    };
    assert_eq!(fit(), fit());
}

#[test]
fn what_does_not_fit_is_named() {
    let device = DeviceName::Flex.open().unwrap();
    let fitted = {
        let mut config = quick();
        config.training.epochs = Some(1);
        Forecaster::with_config(config)
            .unwrap()
            .fit(&waves(60), &device)
            .unwrap()
    };
    let short = waves(9);
    let error = fitted.predict(&short).unwrap_err().to_string();
    assert!(error.contains("'a'") && error.contains("14"), "{error}");
    let mut config = quick();
    config.lookback = Some(1_000);
    let error = Forecaster::with_config(config)
        .unwrap()
        .fit(&waves(60), &device);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("lookback"), "{error}");
    let mut config = quick();
    config.objective = Some("distribution".parse().unwrap());
    let error = Forecaster::with_config(config).unwrap_err();
    assert!(error.is_unsupported(), "{error}");
    let mut config = quick();
    config.objective = Some("binary".parse().unwrap());
    assert!(
        Forecaster::with_config(config)
            .unwrap_err()
            .is_unsupported()
    );
}

#[test]
fn a_bad_tick_that_leaves_nothing_to_learn_is_told() {
    let table = waves(60);
    let columns = table.columns().iter().cloned().map(|mut column| {
        if let ("value", ColumnValues::Numeric(values)) = (&*column.name, &mut column.values) {
            values[70] = 1e9;
        }
        column
    });
    let table = Table::new(columns.collect()).unwrap();
    let mut config = quick();
    config.training.epochs = Some(1);
    config.refit = true;
    let device = DeviceName::Flex.open().unwrap();
    let forecaster = Forecaster::with_config(config).unwrap();
    let fit = forecaster.fit_with(&table, &device, Default::default());
    let (_, report) = fit.unwrap();
    let of_tick = |note: &&String| note.contains("'value': series 'b' at 1970-01-11 is 1e9");
    assert_eq!(
        report.notes.iter().filter(of_tick).count(),
        1,
        "{:?}",
        report.notes
    );
}

/// The presets of the small models, as they are: a week is learned and the bands are as narrow as its
/// noise, also where the paper's model has no constant of its own.
#[test]
fn presets_of_linear_models_learn_the_week_and_its_bands() {
    let device = DeviceName::Flex.open().unwrap();
    let table = waves(400);
    for name in ["nlinear", "dlinear", "fits", "sparse_tsf"] {
        let mut config = ForecasterConfig::new(columns(), 3);
        config.model = name.into();
        config.strategy = Strategy::Fast;
        config.lookback = Some(28);
        let fitted = Forecaster::with_config(config).unwrap();
        let next = fitted
            .fit(&table, &device)
            .unwrap()
            .predict(&table)
            .unwrap();
        for (window, (level, height)) in next.windows.iter().zip([(10.0, 1.0), (500.0, 40.0)]) {
            let cells = window.quantiles.chunks_exact(next.levels.len());
            for (h, (point, cell)) in window.point.iter().zip(cells).enumerate() {
                let wave = ((400 + h) as f64 * std::f64::consts::TAU / 7.0).sin();
                let off = (point - (level + height * wave)).abs() / height;
                // Noise is uniform over a fifth of the height: a band of 90 % is 0.18 wide, after a short training wider.
                let width = (cell[cell.len() - 1] - cell[0]) / height;
                assert!(off < 0.2 && width < 0.8, "{name}: {off} off, {width} wide");
            }
        }
    }
}

/// Of less than a season it would be the last value by another name.
#[test]
fn a_season_is_compared_with_where_there_is_one() {
    for (days, expected) in [(7, false), (8, true)] {
        let table = SeriesTable::from_table(&waves(days), &columns()).unwrap();
        let baselines = baseline::all(&table);
        let mut names = baselines.iter().map(|baseline| baseline.name());
        assert_eq!(
            names.any(|name| name == "seasonal_naive"),
            expected,
            "{days}"
        );
    }
}
