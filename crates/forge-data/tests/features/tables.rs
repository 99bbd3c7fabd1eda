//! Features of panels, in parts and as a whole.

use forge_data::features::{
    BadCells, BarColumns, BarFeatures, BarPanel, FeatureSet, TechnicalConfig, VwapSpan,
};
use forge_data::{Column, ColumnValues, Table};

use super::{bars_table, numbers};

const DAY: i64 = 86_400_000;

/// The fixture's bars as three interleaved series with times.
fn panel() -> Table {
    let bars = bars_table();
    let tickers = (0..bars.n_rows()).map(|row| Some(["A", "B", "C"][row % 3]));
    let times = (0..bars.n_rows()).map(|row| 1_000 * DAY + row as i64 / 3 * DAY);
    let mut columns = vec![
        Column::categorical("ticker", tickers),
        Column::date_time("date", times.collect()),
    ];
    columns.extend(bars.into_columns());
    Table::new(columns).unwrap()
}

fn config(set: FeatureSet) -> BarFeatures {
    BarFeatures {
        columns: BarColumns {
            series: Some("ticker".into()),
            time: Some("date".into()),
            ..Default::default()
        },
        ..BarFeatures::new(set)
    }
}

fn short_set() -> FeatureSet {
    TechnicalConfig {
        rsi: 5,
        relative_volume: 7,
        intensity_long: 7,
        volatility: 4,
        ..Default::default()
    }
    .feature_set()
    .unwrap()
}

/// Equal bit by bit, missing cells included.
fn assert_same(a: &Table, b: &Table) {
    assert_eq!((a.n_rows(), a.n_columns()), (b.n_rows(), b.n_columns()));
    for column in a.columns() {
        let bits = |table: &Table| -> Vec<u64> {
            numbers(table, &column.name)
                .into_iter()
                .map(f64::to_bits)
                .collect()
        };
        assert_eq!(bits(a), bits(b), "{}", column.name);
    }
}

#[test]
fn each_series_is_on_its_own() {
    let table = panel();
    let (all, report) = config(short_set()).apply(&table).unwrap();
    assert_eq!((report.series, report.rows), (3, 90));
    assert_eq!(report.missing("rsi"), 3 * 5);
    for start in 0..3 {
        let rows: Vec<usize> = (start..90).step_by(3).collect();
        let alone = BarFeatures::new(short_set())
            .apply(&table.select_rows(&rows).unwrap())
            .unwrap()
            .0;
        assert_same(&alone, &all.select_rows(&rows).unwrap());
    }
}

#[test]
fn a_panel_goes_on_after_a_restart() {
    let table = panel();
    let (whole, _) = config(short_set()).apply(&table).unwrap();
    let mut panel = BarPanel::new(config(short_set())).unwrap();
    let mut first = 0;
    // The second part starts in the middle of a day, the third knows a series that the first does not.
    for last in [2, 40, 90] {
        let rows: Vec<usize> = (first..last).collect();
        let (part, _) = panel.advance(&table.select_rows(&rows).unwrap()).unwrap();
        assert_same(&part, &whole.select_rows(&rows).unwrap());
        let text = serde_json::to_string(&panel).unwrap();
        panel = serde_json::from_str(&text).unwrap();
        first = last;
    }
    assert_eq!(panel.n_series(), 3);
    let before = panel.clone();
    let error = panel
        .advance(&table.select_rows(&[0]).unwrap())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "row 2: column 'date': 1972-09-27 is not after the time of the bar before it: bars must be sorted \
         by time, each time once per series (series 'A')"
    );
    assert_eq!(panel, before);
}

#[test]
fn skipped_cells_leave_out_the_bar_or_the_features_that_need_them() {
    let mut columns = bars_table().into_columns();
    let set = |columns: &mut Vec<Column>, name: &str, row: usize, value: f64| {
        let column = columns
            .iter_mut()
            .find(|column| column.name == name)
            .unwrap();
        let ColumnValues::Numeric(values) = &mut column.values else {
            panic!("{name}");
        };
        values[row] = value;
    };
    set(&mut columns, "close", 30, f64::NAN);
    set(&mut columns, "low", 31, -1.0);
    set(&mut columns, "volume", 40, f64::NAN);
    set(&mut columns, "volume", 41, f64::NAN);
    let table = Table::new(columns).unwrap();
    let skip = BarFeatures {
        missing: BadCells::Skip,
        invalid: BadCells::Skip,
        ..BarFeatures::new(short_set())
    };
    let (features, report) = skip.apply(&table).unwrap();
    assert_eq!(
        report.to_string(),
        "25 features of 90 rows in 1 series\n\
         column 'close': 1 missing cells skipped, the first in row 32\n\
         column 'low': 1 invalid cells skipped, the first in row 33\n\
         column 'volume': 2 missing cells skipped, the first in row 42\n\
         missing most often: 'macd_signal', in 35 rows"
    );
    let at = |name: &str, row: usize| numbers(&features, name)[row];
    assert!(features.columns().iter().all(|c| c.missing() >= 2));
    assert!(at("open", 30).is_nan() && at("open", 31).is_nan());
    assert!(at("vwap", 40).is_nan() && at("rsi", 40).is_finite() && at("vwap", 42).is_finite());
    // What is left goes on as if the rows had not been.
    let rows: Vec<usize> = (0..90).filter(|row| ![30, 31].contains(row)).collect();
    let without = skip.apply(&table.select_rows(&rows).unwrap()).unwrap().0;
    assert_same(&without, &features.select_rows(&rows).unwrap());
}

#[test]
fn a_session_is_the_day_on_the_rows_own_clock() {
    let set = TechnicalConfig {
        vwap: VwapSpan::Session,
        ..Default::default()
    };
    let hour = DAY / 24;
    // 22:00 and 01:00 UTC: two days there, one day five hours behind.
    let times = vec![22 * hour, 25 * hour, 46 * hour];
    let bars = |offsets: Option<Vec<i16>>| {
        let time = Column::date_time("time", times.clone());
        let time = match offsets {
            Some(offsets) => time.with_offsets(offsets).unwrap(),
            None => time,
        };
        let mut columns = vec![time];
        columns.extend(
            ["open", "high", "low", "close"]
                .map(|name| Column::numeric(name, vec![10.0, 20.0, 40.0])),
        );
        columns.push(Column::numeric("volume", vec![1.0, 3.0, 2.0]));
        Table::new(columns).unwrap()
    };
    let features = BarFeatures {
        columns: BarColumns {
            time: Some("time".into()),
            ..Default::default()
        },
        ..BarFeatures::new(set.feature_set().unwrap())
    };
    let vwap = |table: Table| numbers(&features.apply(&table).unwrap().0, "vwap");
    assert_eq!(vwap(bars(None)), [10.0, 20.0, 28.0]);
    assert_eq!(vwap(bars(Some(vec![-300; 3]))), [10.0, 17.5, 40.0]);
}

#[test]
fn a_column_of_a_features_name_is_kept_or_refused() {
    let bars = bars_table();
    let features = BarFeatures::new(short_set());
    let (table, _) = features.append(&bars).unwrap();
    assert_eq!(table.n_columns(), 9 + 21);
    // Once more: all are there already.
    assert_eq!(features.append(&table).unwrap().0.n_columns(), 9 + 21);
    let clash = bars
        .with_column(Column::numeric("rsi", vec![0.0; 90]))
        .unwrap();
    let error = features.append(&clash).unwrap_err();
    assert!(
        error.is_schema()
            && error
                .to_string()
                .starts_with("column 'rsi': the table has a column of this name"),
        "{error}"
    );
}
