//! Features of bars as past columns of series.

use forge_data::features::{BadCells, BarFeatures, FeatureSet};
use forge_data::{
    BarMarketConfig, Column, ColumnValues, Gaps, SeriesConfig, SeriesFeatures, SeriesFindingKind,
    SeriesRow, SeriesTable, Table,
};

use super::DAY;

const DAYS: usize = 40;

/// Bars of one stock on all days, with the features of volatility over five of them.
fn bars() -> Table {
    let config = BarMarketConfig {
        stocks: 1,
        days: DAYS,
        ..BarMarketConfig::default()
    };
    let columns = config.generate().unwrap().into_columns().into_iter();
    let columns = columns
        .filter(|column| column.name != "ticker")
        .map(|mut column| {
            if let ColumnValues::DateTime(times) = &mut column.values {
                *times = (0..times.len() as i64).map(|day| day * DAY).collect();
            }
            column
        });
    Table::new(columns.collect()).unwrap()
}

fn features() -> BarFeatures {
    let volatility = forge_data::features::VolatilityConfig {
        windows: vec![5],
        periods_per_year: None,
    };
    BarFeatures::new(volatility.feature_set().unwrap())
}

fn config() -> SeriesConfig {
    SeriesConfig::new("date", ["realized_variance"])
}

fn row(table: &Table, row: usize) -> SeriesRow {
    let numbers = table
        .columns()
        .iter()
        .filter_map(|column| match &column.values {
            ColumnValues::Numeric(values) => Some((column.name.clone(), values[row])),
            _ => None,
        });
    let wanted = ["realized_variance", "open", "high", "low", "close"];
    SeriesRow {
        series: String::new(),
        time: row as i64 * DAY,
        values: numbers
            .filter(|(name, _)| wanted.contains(&name.as_str()))
            .collect(),
    }
}

/// With the value of a cell replaced.
fn with(table: &Table, name: &str, row: usize, value: f64) -> Table {
    let columns = table.columns().iter().cloned().map(|mut column| {
        if let ColumnValues::Numeric(values) = &mut column.values
            && column.name == name
        {
            values[row] = value;
        }
        column
    });
    Table::new(columns.collect()).unwrap()
}

fn bits(series: &SeriesTable) -> Vec<Vec<u64>> {
    let columns = series.schema().config.moving();
    let of = |name: &String| {
        series
            .column(0, name)
            .unwrap()
            .iter()
            .map(|v: &f64| v.to_bits())
            .collect()
    };
    columns.map(of).collect()
}

#[test]
fn rows_that_come_in_make_the_same_columns_as_the_table() {
    let table = bars();
    for gaps in [Gaps::Keep, Gaps::Fill] {
        // Day 30 is a gap, and the bar of day 33 lacks its low.
        let table = with(&table, "low", 33, f64::NAN);
        let rows: Vec<usize> = (0..DAYS).filter(|day| *day != 30).collect();
        let mut config = config();
        config.gaps = gaps;
        let mut bars = features();
        bars.missing = BadCells::Skip;
        let features = SeriesFeatures::new(bars, &config).unwrap();
        let part = |rows: &[usize]| {
            let part = table.select_rows(rows).unwrap();
            features.from_table(&part, &config).unwrap()
        };
        let (whole, _) = part(&rows);
        let skipped = whole
            .report()
            .finding(SeriesFindingKind::SkippedBars, None)
            .unwrap();
        assert_eq!((skipped.count, skipped.place.as_str()), (1, "1970-02-03"));
        let (mut grown, mut state) = part(&rows[..25]);
        for day in &rows[25..] {
            features
                .append(&mut state, &mut grown, &row(&table, *day))
                .unwrap();
        }
        assert_eq!(bits(&grown), bits(&whole), "{gaps:?}");
        assert_eq!(whole.times(0).len(), DAYS - usize::from(gaps == Gaps::Keep));
    }
}

#[test]
fn only_what_was_asked_for_is_kept() {
    let features = SeriesFeatures::new(features(), &config()).unwrap();
    let (series, _) = features.from_table(&bars(), &config()).unwrap();
    let past = &series.schema().config.past;
    assert_eq!(past.len(), 6);
    assert!(past.iter().all(|name| name.ends_with("_5")), "{past:?}");
    assert!(features.fits(series.schema()));
    // A file that says something else is no file of these.
    let mut other = series.schema().clone();
    other.config.past.pop();
    assert!(!features.fits(&other));
}

#[test]
fn rows_of_the_future_need_no_bar() {
    let table = bars();
    let mut columns = table.columns().to_vec();
    let event = (0..DAYS)
        .map(|day| f64::from(u8::from(day % 7 == 0)))
        .collect();
    columns.push(Column::numeric("event", event));
    for column in &mut columns {
        if let ColumnValues::Numeric(values) = &mut column.values
            && column.name != "event"
        {
            values[DAYS - 3..].fill(f64::NAN);
        }
    }
    let table = Table::new(columns).unwrap();
    let config = config().with_known(["event"]);
    let features = SeriesFeatures::new(features(), &config).unwrap();
    let (mut series, mut state) = features.from_table(&table, &config).unwrap();
    assert_eq!(series.observed(0), DAYS - 3);
    // The first of them comes in with its bar; the event stays known.
    let next = row(&bars(), DAYS - 3);
    features.append(&mut state, &mut series, &next).unwrap();
    assert_eq!(series.observed(0), DAYS - 2);
    assert!(series.column(0, "parkinson_5").unwrap()[DAYS - 3] > 0.0);
    assert!(!series.column(0, "event").unwrap()[DAYS - 3].is_nan());
    // But in the middle a bar that is not there is an error.
    let table = with(&bars(), "close", 20, f64::NAN);
    let error = features
        .from_table(&table, &self::config())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("close") && error.contains("1970-01-21"),
        "{error}"
    );
}

#[test]
fn a_row_that_is_refused_changes_nothing() {
    let features = SeriesFeatures::new(features(), &config()).unwrap();
    let table = bars();
    let rows: Vec<usize> = (0..DAYS - 1).collect();
    let part = table.select_rows(&rows).unwrap();
    let (mut series, mut state) = features.from_table(&part, &config()).unwrap();
    let before = (bits(&series), series.times(0).to_vec(), state.clone());
    let good = row(&table, DAYS - 1);
    let mut bad = [good.clone(), good.clone(), good.clone(), good.clone()];
    bad[0].values.retain(|(name, _)| name != "high");
    bad[1].values.push(("parkinson_5".into(), 1.0));
    bad[2].time = 3 * DAY;
    bad[3].values[0].1 = f64::INFINITY;
    for (row, part) in bad.iter().zip(["high", "computed", "", "infinite"]) {
        let error = features
            .append(&mut state, &mut series, row)
            .unwrap_err()
            .to_string();
        assert!(error.contains(part), "{error}");
        assert_eq!(bits(&series), before.0, "{part}");
        assert_eq!(series.times(0), before.1, "{part}");
        assert!(state == before.2, "{part}");
    }
    features.append(&mut state, &mut series, &good).unwrap();
}

#[test]
fn a_set_of_another_kind_is_refused() {
    let greeks = BarFeatures::new(FeatureSet::named("greeks").unwrap());
    assert!(
        SeriesFeatures::new(greeks, &config())
            .unwrap_err()
            .is_config()
    );
    let mut sessions = features();
    sessions.columns.session = Some("day".into());
    let error = SeriesFeatures::new(sessions, &config())
        .unwrap_err()
        .to_string();
    assert!(error.contains("columns.session"), "{error}");
    let known = config().with_known(["parkinson_5"]);
    let error = SeriesFeatures::new(features(), &known)
        .unwrap_err()
        .to_string();
    assert!(error.contains("parkinson_5"), "{error}");
}
