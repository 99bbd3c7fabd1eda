//! Raw bars in: features are the forecaster's own business.

use volatilityforge::data::features::{BarColumns, BarFeatures, FeatureSet};
use volatilityforge::data::{
    BarMarketConfig, ColumnValues, SeriesConfig, SeriesRow, SeriesTransform,
};
use volatilityforge::forecast::run::{ForecastRun, ForecastRunConfig, ForecastRunOptions};
use volatilityforge::forecast::{FittedForecaster, Forecaster, ForecasterConfig};
use volatilityforge::{Column, DeviceName, Table};

const STOCKS: usize = 2;
const DAYS: usize = 130;

fn bars() -> Table {
    let config = BarMarketConfig {
        stocks: STOCKS,
        days: DAYS,
        ..BarMarketConfig::default()
    };
    config.generate().unwrap()
}

fn config() -> ForecasterConfig {
    let series = SeriesConfig::new("date", ["realized_variance"])
        .with_series("ticker")
        .with_past(["volume"]);
    let mut config = ForecasterConfig::new(series, [1, 3].as_slice());
    config.model = "tide".into();
    config.strategy = volatilityforge::Strategy::Fast;
    config.lookback = Some(12);
    config.training.epochs = Some(1);
    config.features = Some("technical_25".parse().unwrap());
    config.scaler = config
        .scaler
        .with_transform("realized_variance", SeriesTransform::Log);
    config
}

fn fitted(table: &Table) -> FittedForecaster {
    let device = DeviceName::Flex.open().unwrap();
    Forecaster::with_config(config())
        .unwrap()
        .fit(table, &device)
        .unwrap()
}

fn numbers(table: &Table, column: &str) -> Vec<f64> {
    match &table.column(column).unwrap().values {
        ColumnValues::Numeric(values) => values.clone(),
        _ => panic!("{column} holds no numbers"),
    }
}

fn times(table: &Table) -> Vec<i64> {
    match &table.column("date").unwrap().values {
        ColumnValues::DateTime(times) => times.clone(),
        _ => panic!("no dates"),
    }
}

#[test]
fn features_are_those_of_the_table_and_a_part_of_the_file() {
    let table = bars();
    let fitted = fitted(&table);
    let set = FeatureSet::named("technical_25").unwrap();
    let by_hand = BarFeatures {
        columns: BarColumns {
            series: Some("ticker".into()),
            time: Some("date".into()),
            ..BarColumns::default()
        },
        ..BarFeatures::new(set.clone())
    };
    let (by_hand, _) = by_hand.apply(&table).unwrap();
    let series = fitted.series_of(&table).unwrap();
    // The volume was asked for by itself, and is no feature of its own.
    assert_eq!(series.schema().config.past.len(), 26);
    for name in set.names() {
        let whole = numbers(&by_hand, name);
        for stock in 0..STOCKS {
            let own = series.column(stock, name).unwrap();
            let expected = &whole[stock * DAYS..(stock + 1) * DAYS];
            let bits =
                |values: &[f64]| -> Vec<u64> { values.iter().map(|v| v.to_bits()).collect() };
            assert_eq!(bits(own), bits(expected), "{name} of stock {stock}");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("forecaster.safetensors");
    fitted.save(&path).unwrap();
    let device = DeviceName::Flex.open().unwrap();
    let again = FittedForecaster::load(&path, &device).unwrap();
    assert_eq!(again.features(), Some(&set));
    assert_eq!(
        again.predict(&table).unwrap(),
        fitted.predict(&table).unwrap()
    );
}

#[test]
fn a_stream_of_raw_bars_says_what_the_table_says() {
    let table = bars();
    let fitted = fitted(&table);
    let start: Vec<usize> = (0..STOCKS * DAYS)
        .filter(|row| row % DAYS < DAYS - 7)
        .collect();
    let mut stream = fitted.stream(&table.select_rows(&start).unwrap()).unwrap();
    let columns = [
        "realized_variance",
        "open",
        "high",
        "low",
        "close",
        "volume",
    ];
    let time = times(&table);
    for row in (0..STOCKS * DAYS).filter(|row| row % DAYS >= DAYS - 7) {
        let values = columns.map(|name| (name.to_string(), numbers(&table, name)[row]));
        let row = SeriesRow {
            series: format!("S{:02}", row / DAYS),
            time: time[row],
            values: values.to_vec(),
        };
        stream.append(&row).unwrap();
        // The same bar twice is an error, and changes nothing.
        assert!(stream.append(&row).is_err());
    }
    let whole = fitted.predict(&table).unwrap();
    for (stock, window) in whole.windows.iter().enumerate() {
        assert_eq!(&stream.forecast(&format!("S{stock:02}")).unwrap(), window);
    }
}

#[test]
fn bad_bars_and_rows_are_named() {
    let table = bars();
    let fitted = fitted(&table);
    let with = |name: &str, row: usize, value: f64| {
        let columns = table.columns().iter().cloned().map(|mut column| {
            if let ColumnValues::Numeric(values) = &mut column.values
                && column.name == name
            {
                values[row] = value;
            }
            column
        });
        Table::new(columns.collect()).unwrap()
    };
    let message = |table: &Table| fitted.predict(table).unwrap_err().to_string();
    let crossed = message(&with("high", DAYS + 20, 1e-3));
    for part in [
        "high",
        "'S01'",
        "2018-01",
        "below the bar's low",
        "features.invalid",
    ] {
        assert!(crossed.contains(part), "{part}: {crossed}");
    }
    let missing = message(&with("open", 20, f64::NAN));
    assert!(
        missing.contains("open") && missing.contains("'S00'"),
        "{missing}"
    );
    let without = table.columns().iter().filter(|column| column.name != "low");
    let lacks = message(&Table::new(without.cloned().collect()).unwrap());
    assert!(
        lacks.contains("low") && lacks.contains("technical_25"),
        "{lacks}"
    );
    let mut stream = fitted.stream(&table).unwrap();
    let row = SeriesRow {
        series: "S00".into(),
        time: times(&table)[DAYS - 1] + 86_400_000,
        values: vec![("rsi".into(), 50.0)],
    };
    let error = stream.append(&row).unwrap_err().to_string();
    assert!(
        error.contains("rsi") && error.contains("computed"),
        "{error}"
    );
}

#[test]
fn another_set_of_features_is_refused_by_name() {
    let table = bars();
    let device = DeviceName::Flex.open().unwrap();
    let set = FeatureSet::named("technical_25").unwrap();
    let but_one = set
        .features()
        .iter()
        .filter(|named| named.name != "spread_proxy");
    let smaller = FeatureSet::new("technical_24", but_one.cloned().collect()).unwrap();
    let mut config = config();
    config.features = Some(BarFeatures::new(smaller.clone()));
    let fitted = Forecaster::with_config(config)
        .unwrap()
        .fit(&table, &device)
        .unwrap();
    let series = fitted.series_of(&table).unwrap();
    let mut made = table.columns().to_vec();
    for name in smaller.names().filter(|name| table.column(name).is_err()) {
        let values = (0..STOCKS).flat_map(|stock| series.column(stock, name).unwrap().to_vec());
        made.push(Column::numeric(name, values.collect()));
    }
    let made = Table::new(made).unwrap();
    let error = fitted
        .predict_features(&made, &set)
        .unwrap_err()
        .to_string();
    for part in ["25 features", "model of 24", "surplus spread_proxy"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    let own = fitted.predict_features(&made, &smaller).unwrap();
    assert_eq!(own, fitted.predict(&table).unwrap());
}

#[test]
fn features_that_do_not_fit_the_series_are_refused() {
    let bad = |change: &dyn Fn(&mut ForecasterConfig)| {
        let mut config = config();
        change(&mut config);
        Forecaster::with_config(config).unwrap_err().to_string()
    };
    let chain = bad(&|config| config.features = Some("greeks".parse().unwrap()));
    assert!(chain.contains("option chains"), "{chain}");
    let taken = bad(&|config| config.series.targets = vec!["rsi".into()]);
    assert!(taken.contains("'rsi'"), "{taken}");
    let series = bad(&|config| {
        let features = config.features.as_mut().unwrap();
        features.columns.series = Some("ticker".into());
    });
    assert!(series.contains("features.columns.series"), "{series}");
    let unknown = "technical_26"
        .parse::<BarFeatures>()
        .unwrap_err()
        .to_string();
    assert!(unknown.contains("technical_25"), "{unknown}");
}

#[test]
fn a_bad_bar_in_a_file_is_told_with_file_column_series_and_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bars.csv");
    let table = bars();
    let columns = table.columns().iter().cloned().map(|mut column| {
        if let ColumnValues::Numeric(values) = &mut column.values
            && column.name == "low"
        {
            values[DAYS + 30] *= 2.0;
        }
        column
    });
    Table::new(columns.collect())
        .unwrap()
        .write_csv(&path)
        .unwrap();
    let run = ForecastRunConfig::of_file(path, config());
    let out = folder.path().join("run");
    let device = DeviceName::Flex.open().unwrap();
    let options = ForecastRunOptions::new(&out);
    let error = ForecastRun::new(run)
        .unwrap()
        .run(&device, options)
        .unwrap_err()
        .to_string();
    for part in ["bars.csv", "'S01'", "2018-02", "low", "high"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(!out.exists());
}
