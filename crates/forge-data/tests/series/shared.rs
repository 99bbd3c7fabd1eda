//! Real files: each is read, its steps are told, and windows are made of it.

#![allow(clippy::print_stderr)]

use std::sync::Arc;

use burn::tensor::Device;
use forge_data::{
    Column, ColumnValues, Duplicates, Frequency, ReadOptions, ScalerConfig, SeriesConfig,
    SeriesFindingKind as Kind, SeriesScaler, SeriesTable, SplitPart, Stamps, Table, TimeSplit,
    TimeUnit, WindowConfig, Windows, read_table,
};

use super::{DAY, HOUR};
use crate::shared_files::shared;

fn read(name: &str) -> Option<Table> {
    // Two files have numbers for names.
    let options = ReadOptions {
        has_header: Some(true),
        ..ReadOptions::default()
    };
    Some(read_table(shared(name)?, &options).unwrap().0)
}

/// The series of a file, after a batch of its first and last windows and of what comes next.
fn checked(table: &Table, config: &SeriesConfig, windows: &WindowConfig) -> Arc<SeriesTable> {
    let series = Arc::new(SeriesTable::from_table(table, config).unwrap());
    let device = Device::flex();
    let all = Windows::new(&series, windows).unwrap();
    all.batch(&[0, all.len() - 1], &device).unwrap();
    let mut latest = windows.clone();
    latest.calendar = series.report().frequency != Frequency::Irregular;
    let now = Windows::latest(&series, &latest).unwrap();
    now.batch(&(0..now.len()).collect::<Vec<_>>(), &device)
        .unwrap();
    eprintln!("{}", series.report());
    series
}

fn next_texts(series: &SeriesTable, steps: usize) -> Vec<i64> {
    series.next_times(0, steps).unwrap()
}

#[test]
fn transformer_temperatures_are_hourly() {
    for (name, rows) in [("ETTh1.csv", 17_420), ("forecast/ETTh2/ETTh2.csv", 17_420)] {
        let Some(table) = read(name) else { return };
        let config = SeriesConfig::new(
            "date",
            ["HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"],
        );
        let series = checked(&table, &config, &WindowConfig::new(512, 96));
        assert_eq!(
            (series.report().frequency, series.n_rows()),
            (Frequency::Every(HOUR), rows)
        );
        assert!(series.report().findings.is_empty(), "{}", series.report());
    }
}

#[test]
fn exchange_rates_and_illness_have_days_and_weeks() {
    let Some(table) = read("forecast/exchange_rate/exchange_rate.csv") else {
        return;
    };
    let config = SeriesConfig::new("date", ["0", "1", "2", "3", "4", "5", "6", "OT"]);
    let series = checked(&table, &config, &WindowConfig::new(96, 96));
    assert_eq!(series.report().frequency, Frequency::Every(DAY));
    assert!(series.report().findings.is_empty(), "{}", series.report());
    let Some(table) = read("forecast/national_illness/national_illness.csv") else {
        return;
    };
    let config = SeriesConfig::new("date", ["OT"]).with_past(["ili_total", "num_providers"]);
    let series = checked(&table, &config, &WindowConfig::new(104, 24));
    assert_eq!(series.report().frequency, Frequency::Every(7 * DAY));
    assert!(series.report().findings.is_empty(), "{}", series.report());
}

/// One series per row and one step per column: turned into one row per step first.
#[test]
fn m4_hourly_is_turned_into_rows() {
    let Some(wide) = read("forecast/m4_hourly/train.csv") else {
        return;
    };
    let ColumnValues::Categorical(ids) = &wide.column("id").unwrap().values else {
        panic!("ids are labels");
    };
    let (mut steps, mut names, mut y) = (Vec::new(), Vec::new(), Vec::new());
    for (step, column) in wide.columns().iter().skip(1).enumerate() {
        let ColumnValues::Numeric(values) = &column.values else {
            panic!("steps are numbers");
        };
        for (row, value) in values.iter().enumerate().filter(|(_, v)| !v.is_nan()) {
            steps.push(step as f64);
            names.push(ids.label(row));
            y.push(*value);
        }
    }
    let table = Table::new(vec![
        Column::numeric("step", steps),
        Column::categorical("id", names),
        Column::numeric("y", y),
    ])
    .unwrap();
    let mut config = SeriesConfig::new("step", ["y"]).with_series("id");
    config.time_unit = Some(TimeUnit::Hours);
    let series = checked(&table, &config, &WindowConfig::new(168, 48));
    assert_eq!(
        (series.n_series(), series.report().frequency),
        (414, Frequency::Every(HOUR))
    );
    assert!(series.report().findings.is_empty(), "{}", series.report());
}

#[test]
fn realised_measures_are_on_business_days() {
    for (file, target) in [
        ("spx_rv5_vix_2000_2020.csv", "rv5"),
        ("spx_measures_1997_2013.csv", "rv"),
        ("spy_measures_2014_2019.csv", "rv5"),
    ] {
        let Some(table) = read(&format!("finance/spx_realized/{file}")) else {
            return;
        };
        let series = checked(
            &table,
            &SeriesConfig::new("date", [target]),
            &WindowConfig::new(66, 22),
        );
        let report = series.report();
        assert_eq!(report.frequency, Frequency::Business, "{report}");
        let closed = report.finding(Kind::ClosedDays, None).unwrap().count;
        let years = series.n_rows() as f64 / 252.0;
        assert!((closed as f64) < 30.0 * years, "{report}");
    }
}

#[test]
fn eighty_seven_stocks_are_a_panel() {
    let Some(table) = read("finance/stocks88_daily/stocks88_daily.csv") else {
        return;
    };
    let config = SeriesConfig::new("date", ["adj_close"])
        .with_series("ticker")
        .with_past(["open", "high", "low", "close", "volume"]);
    let series = checked(&table, &config, &WindowConfig::new(60, 5));
    assert_eq!(
        (series.n_series(), series.report().frequency),
        (87, Frequency::Business)
    );
    // Good Friday 2015 and the other holidays of the exchange.
    assert!(series.report().finding(Kind::ClosedDays, None).is_some());
    // The last day is Monday, 2016-01-04.
    let next = series.schema().time("2016-01-05").unwrap();
    assert_eq!(next_texts(&series, 1), [next]);
}

#[test]
fn minutes_of_an_exchange_have_sessions() {
    let Some(table) = read("finance/equity_minute/equity_minute_201310.csv") else {
        return;
    };
    let mut config = SeriesConfig::new(["date", "time"], ["close"])
        .with_series("ticker")
        .with_past(["volume", "bid", "ask"]);
    config = config.with_time_zone("America/New_York", Stamps::WallClock);
    let series = checked(&table, &config, &WindowConfig::new(60, 15));
    let report = series.report();
    assert_eq!(report.frequency, Frequency::Sessions(60_000), "{report}");
    assert_eq!(report.session, Some(("09:30".into(), "15:59".into(), 390)));
    assert_eq!(report.finding(Kind::MissingSteps, None), None, "{report}");
    assert_eq!(
        report
            .finding(Kind::MissingValues, Some("close"))
            .unwrap()
            .count,
        3
    );
    // From Friday, 2013-10-11, to Monday.
    let next = series.schema().time("2013-10-14T09:30").unwrap();
    assert_eq!(next_texts(&series, 1), [next]);
}

#[test]
fn hours_and_five_minutes_are_told_apart() {
    let Some(table) = read("finance/spy_hour/spy_hour_2019_2021.csv") else {
        return;
    };
    let mut config = SeriesConfig::new("datetime", ["close"]).with_past(["volume"]);
    config = config.with_time_zone("America/New_York", Stamps::WallClock);
    let series = checked(&table, &config, &WindowConfig::new(70, 7));
    let report = series.report();
    assert_eq!(report.frequency, Frequency::Sessions(HOUR), "{report}");
    assert_eq!(report.session, Some(("09:00".into(), "15:00".into(), 7)));
    assert!(
        report.finding(Kind::ShortSessions, None).is_some(),
        "half days: {report}"
    );
    let Some(table) = read("finance/crypto_5min/crypto_5min_201801.csv") else {
        return;
    };
    let config = SeriesConfig::new("datetime", ["close"])
        .with_series("pair")
        .with_past(["open", "high", "low", "volume"]);
    let series = checked(&table, &config, &WindowConfig::new(288, 12));
    assert_eq!(series.report().frequency, Frequency::Every(300_000));
    assert!(series.report().findings.is_empty(), "{}", series.report());
    assert_eq!(series.calendar(0, 1).bars_of_day, 288);
}

#[test]
fn ticks_are_irregular_and_options_no_series() {
    let Some(table) = read("finance/quotes_trades/quotes_20180102.csv") else {
        return;
    };
    let mut config = SeriesConfig::new("time", ["bid", "ask"]);
    config.time_unit = Some(TimeUnit::Seconds);
    let refused = SeriesTable::from_table(&table, &config);
    if let Err(refused) = &refused {
        assert!(refused.to_string().contains("twice"), "{refused}");
    }
    config.duplicates = Duplicates::Last;
    let series = checked(&table, &config, &WindowConfig::new(100, 10));
    assert_eq!(series.report().frequency, Frequency::Irregular);
    let Some(table) = read("finance/quotes_trades/trades_20180102.csv") else {
        return;
    };
    let mut config = SeriesConfig::new("time", ["price"]).with_past(["size"]);
    config.time_unit = Some(TimeUnit::Seconds);
    config.duplicates = Duplicates::Last;
    checked(&table, &config, &WindowConfig::new(100, 10));
    let Some(table) = read("finance/aapl_options_panel/aapl_options_201406.csv") else {
        return;
    };
    let refused =
        SeriesTable::from_table(&table, &SeriesConfig::new("quote_date", ["implied_vol"]));
    let message = refused.unwrap_err().to_string();
    super::says(&message, &["2014-06-02 twice", "set series to the column"]);
}

/// The authors' split of ETTh1 (12, 4 and 4 months of 30 days) and its standard scaling: numbers of
/// windows by hand, statistics by Python's `math.fsum`.
#[test]
fn the_published_split_of_transformer_temperatures_is_had() {
    let Some(table) = read("ETTh1.csv") else {
        return;
    };
    let columns = ["HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"];
    let table = Arc::new(
        SeriesTable::from_table(&table.head(14_400), &SeriesConfig::new("date", columns)).unwrap(),
    );
    let split = TimeSplit::HoldOut {
        validation: SplitPart::Steps(2880),
        test: SplitPart::Steps(2880),
        embargo: 0,
    };
    let fold = split.folds(&table).unwrap()[0];
    let scaler = SeriesScaler::fit(&table, &ScalerConfig::default(), &fold.train).unwrap();
    let centre = scaler.columns()[6].series[""];
    assert!(
        (centre.centre - 17.128_261_698_227_1).abs() < 1e-9,
        "{centre:?}"
    );
    assert!(
        (centre.spread - 9.176_491_024_944_333).abs() < 1e-9,
        "{centre:?}"
    );
    let windows = Windows::new(&table, &WindowConfig::new(336, 96)).unwrap();
    let windows = windows.with_scaler(&Arc::new(scaler)).unwrap();
    let part = |range| windows.within(&range).len();
    assert_eq!(part(fold.train), 8640 - 336 - 96 + 1);
    assert_eq!(part(fold.validation.unwrap()), 2880 - 96 + 1);
    let test = windows.within(&fold.test.unwrap());
    assert_eq!(test.len(), 2880 - 96 + 1);
    let batch = test.batch(&[0], &Device::flex()).unwrap();
    let target: Vec<f32> = batch.target.unwrap().to_data().try_to_vec().unwrap();
    let past: Vec<f32> = batch.past.to_data().try_to_vec().unwrap();
    for (value, expected) in [
        (past[336 * 7 - 1], -0.885_33),
        (target[6], -0.862_34),
        (target[96 * 7 - 1], -0.670_66),
    ] {
        assert!((value - expected).abs() < 1e-5, "{value}");
    }
}
