//! Tables that are no bars, and what the errors say.

use forge_data::features::{
    BadCells, BarColumns, BarFeatures, FeatureSet, SkippedKind, TechnicalConfig, VwapSpan,
};
use forge_data::{Column, Table};

fn features(change: impl Fn(&mut BarColumns)) -> BarFeatures {
    let mut features = BarFeatures::new(FeatureSet::named("technical_25").unwrap());
    change(&mut features.columns);
    features
}

fn bars() -> Table {
    Table::from_numeric(
        ["open", "high", "low", "close", "volume", "t"],
        &[
            1.0, 2.0, 1.0, 2.0, 10.0, 1.0, //
            2.0, 2.0, 1.0, 1.0, 10.0, 2.0, //
            1.0, 3.0, 1.0, 3.0, 10.0, 3.0,
        ],
    )
    .unwrap()
}

fn with(name: &str, values: [f64; 3]) -> Table {
    let columns = bars().into_columns().into_iter();
    let column = Column::numeric(name, values.to_vec());
    let changed = columns.map(|c| if c.name == name { column.clone() } else { c });
    Table::new(changed.collect()).unwrap()
}

#[test]
fn errors_name_column_row_value_and_the_way_out() {
    let plain = features(|_| {});
    let timed = features(|columns| columns.time = Some("t".into()));
    for (features, table, message) in [
        (
            &plain,
            with("close", [2.0, f64::NAN, 3.0]),
            "row 3: column 'close': is missing; mend the row, or set missing = \"skip\" to go on without it",
        ),
        (
            &plain,
            with("volume", [1.0, 2.0, f64::NAN]),
            "row 4: column 'volume': is missing; mend",
        ),
        (
            &plain,
            with("low", [1.0, 0.0, 1.0]),
            "row 3: column 'low': 0 is no price: it must be above 0 and finite (1e-100 to 1e100); mend the \
             row, or set invalid = \"skip\"",
        ),
        (
            &plain,
            with("open", [-1.0, 2.0, 1.0]),
            "row 2: column 'open': -1 is no price",
        ),
        (
            &plain,
            with("high", [2.0, 2.0, 0.5]),
            "row 4: column 'high': 0.5 is below the bar's low of 1; mend",
        ),
        (
            &timed,
            with("t", [1.0, 1.0, 2.0]),
            "row 3: column 't': 1 is not after the time of the bar before it",
        ),
        (
            &timed,
            with("t", [1.0, f64::NAN, 2.0]),
            "row 3: column 't': is missing or infinite; every bar needs a time",
        ),
        (
            &plain,
            bars().drop_columns(&["volume"]).unwrap(),
            "column 'volume': not in the table; it has open, high, low, close, t; columns.volume says \
             which column is meant",
        ),
        (
            &features(|columns| columns.volume = None),
            bars(),
            "the feature set 'technical_25' needs volume, but columns.volume is none: name its column",
        ),
        (
            &features(|columns| columns.close = "ticker".into()),
            bars()
                .with_column(Column::categorical("ticker", [Some("A"); 3]))
                .unwrap(),
            "column 'ticker': holds categorical values, but columns.close needs numbers",
        ),
        (
            &features(|columns| columns.series = Some("ticker".into())),
            bars()
                .with_column(Column::categorical("ticker", [Some("A"), None, Some("A")]))
                .unwrap(),
            "row 3: column 'ticker': is missing; a bar belongs to a series",
        ),
    ] {
        let error = features.apply(&table).unwrap_err();
        assert!(error.to_string().starts_with(message), "{error}");
    }
}

#[test]
fn gaps_are_refused_or_reported() {
    let mut features = features(|columns| columns.time = Some("t".into()));
    features.longest_step = Some(1.0);
    features.apply(&bars()).unwrap();
    let table = with("t", [1.0, 2.0, 4.5]);
    let error = features.apply(&table).unwrap_err();
    assert_eq!(
        error.to_string(),
        "row 4: column 't': 4.5 is 2.5 times the longest step after the bar before it: bars are missing \
         between them; mend the row, or set missing = \"skip\" to go on without it"
    );
    features.missing = BadCells::Skip;
    let (_, report) = features.apply(&table).unwrap();
    assert_eq!(report.skipped[0].kind, SkippedKind::Gap);
    let text = report.to_string();
    assert!(
        text.contains("\ncolumn 't': 1 gaps between bars, the first before row 4\n"),
        "{text}"
    );

    // Dates count in seconds.
    let columns = bars()
        .into_columns()
        .into_iter()
        .map(|column| match column.name.as_str() {
            "t" => Column::date_time("t", vec![0, 60_000, 180_000]),
            _ => column,
        });
    let dated = Table::new(columns.collect()).unwrap();
    features.longest_step = Some(60.0);
    assert_eq!(features.apply(&dated).unwrap().1.skipped[0].count, 1);
    features.longest_step = Some(120.0);
    assert!(features.apply(&dated).unwrap().1.skipped.is_empty());

    features.longest_step = Some(0.0);
    let error = features.apply(&dated).unwrap_err();
    assert!(
        error.is_config()
            && error
                .to_string()
                .contains("longest_step = 0 is out of range"),
        "{error}"
    );
    features.longest_step = Some(1.0);
    features.columns.time = None;
    let error = features.apply(&dated).unwrap_err();
    assert!(
        error.to_string().contains("longest_step needs times"),
        "{error}"
    );
}

#[test]
fn a_session_needs_a_column() {
    let set = TechnicalConfig {
        vwap: VwapSpan::Session,
        ..Default::default()
    };
    let mut features = BarFeatures::new(set.feature_set().unwrap());
    let error = features.apply(&bars()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("needs session, but columns.session is none"),
        "{error}"
    );
    features.columns.session = Some("t".into());
    features.apply(&bars()).unwrap();
    let error = features.apply(&with("t", [1.0, 1.5, 2.0])).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("row 3: column 't': 1.5 is not a whole number"),
        "{error}"
    );
}

#[test]
fn an_empty_table_has_no_features() {
    let empty = bars().select_rows(&[]).unwrap();
    let (table, report) = features(|_| {}).apply(&empty).unwrap();
    assert_eq!((table.n_rows(), table.n_columns(), report.rows), (0, 25, 0));
}

#[test]
fn configs_are_read_from_files() {
    let set = serde_json::to_string(&FeatureSet::named("volatility").unwrap()).unwrap();
    let text = format!(r#"{{"set": {set}, "columns": {{"time": "t"}}, "missing": "skip"}}"#);
    let read: BarFeatures = serde_json::from_str(&text).unwrap();
    assert_eq!(read.columns.time.as_deref(), Some("t"));
    assert_eq!(read.columns.close, "close");
    let text = format!(r#"{{"set": {set}, "colums": {{}}}}"#);
    assert!(serde_json::from_str::<BarFeatures>(&text).is_err());
}
