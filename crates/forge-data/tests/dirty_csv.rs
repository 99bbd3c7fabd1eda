//! Every dirty CSV file gives the right values, or an error that says where.

use std::path::{Path, PathBuf};

use forge_data::{
    Column, ColumnKind, ColumnRole, ColumnValues, DataError, Decimal, DuplicateNames, FindingKind,
    Infinite, Layout, ReadOptions, ReadReport, Table, read_table,
};

pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/dirty")
        .join(name)
}

fn read(name: &str, options: &ReadOptions) -> Result<(Table, ReadReport), DataError> {
    read_table(path(name), options)
}

fn ok(name: &str) -> (Table, ReadReport) {
    read(name, &ReadOptions::default()).unwrap()
}

/// The error, which names the file and starts with this after it.
fn error(name: &str, options: &ReadOptions, start: &str) -> DataError {
    let error = read(name, options).unwrap_err();
    let expected = format!("{}: {start}", path(name).display());
    assert!(error.to_string().starts_with(&expected), "{error}");
    error
}

pub(crate) fn numbers(table: &Table, name: &str) -> Vec<f64> {
    match &table.column(name).unwrap().values {
        ColumnValues::Numeric(v) => v.clone(),
        other => panic!("{name} is {other:?}"),
    }
}

pub(crate) fn labels(table: &Table, name: &str) -> Vec<Option<String>> {
    match &table.column(name).unwrap().values {
        ColumnValues::Categorical(c) => (0..c.codes.len())
            .map(|row| c.label(row).map(str::to_owned))
            .collect(),
        other => panic!("{name} is {other:?}"),
    }
}

fn some(labels: &[&str]) -> Vec<Option<String>> {
    labels.iter().map(|l| Some((*l).to_owned())).collect()
}

fn names(table: &Table) -> Vec<&str> {
    table.columns().iter().map(|c| c.name.as_str()).collect()
}

const MID: [f64; 6] = [41.3, 52.6, 66.9, 52.4, 39.8, 29.1];
const STRIKE: [f64; 6] = [4450.0, 4475.0, 4500.0, 4525.0, 4550.0, 4575.0];
const VOL: [f64; 6] = [0.1182, 0.1121, 0.1063, 0.1012, 0.0967, 0.0931];

#[test]
fn all_missing_column_is_kept_and_reported() {
    let (table, report) = ok("all_missing_column.csv");
    assert!(numbers(&table, "last_price").iter().all(|v| v.is_nan()));
    assert_eq!(numbers(&table, "mid"), MID);
    assert!(
        report
            .finding(FindingKind::AllMissing, Some("last_price"))
            .is_some()
    );
    assert_eq!(report.findings().len(), 1, "{report}");
    assert_eq!(report.columns()[1].missing, 6);
}

#[test]
fn byte_order_mark_and_crlf_leave_no_trace() {
    let (table, report) = ok("bom_crlf.csv");
    assert_eq!(
        names(&table),
        ["strike", "option_type", "mid", "implied_vol"]
    );
    assert_eq!(numbers(&table, "strike"), STRIKE);
    assert_eq!(numbers(&table, "implied_vol"), VOL);
    assert_eq!(
        labels(&table, "option_type"),
        some(&["P", "P", "C", "C", "C", "C"])
    );
    assert!(report.finding(FindingKind::ByteOrderMark, None).is_some());
    assert_eq!(report.findings().len(), 1, "{report}");
}

#[test]
fn constant_column_is_read_as_it_is() {
    let (table, report) = ok("constant_column.csv");
    assert_eq!(numbers(&table, "spot"), [4505.1; 6]);
    assert!(report.findings().is_empty(), "{report}");
}

#[test]
fn duplicate_names_are_refused_or_renamed() {
    let refused = error(
        "duplicate_names.csv",
        &ReadOptions::default(),
        "row 1: column 'mid': columns 2 and 3 have the same name",
    );
    assert!(refused.is_schema());
    let rename = ReadOptions {
        duplicate_names: DuplicateNames::Rename,
        ..ReadOptions::default()
    };
    let (table, report) = read("duplicate_names.csv", &rename).unwrap();
    assert_eq!(
        names(&table),
        ["strike", "mid", "mid.1", "implied_vol", "strike.1"]
    );
    assert_eq!(numbers(&table, "mid"), MID);
    assert_eq!(
        numbers(&table, "mid.1"),
        [41.4, 52.7, 67.0, 52.5, 39.9, 29.2]
    );
    assert_eq!(numbers(&table, "strike.1"), STRIKE);
    let finding = report.finding(FindingKind::Renamed, Some("mid")).unwrap();
    assert_eq!(
        (finding.example.as_str(), finding.rows.as_slice()),
        ("mid.1", &[1][..])
    );
    assert!(
        report
            .finding(FindingKind::Renamed, Some("strike"))
            .is_some()
    );
}

#[test]
fn empty_file_is_refused() {
    let e = error(
        "empty_file.csv",
        &ReadOptions::default(),
        "row 1: the file is empty",
    );
    assert!(e.is_parse());
}

#[test]
fn zero_rows_are_refused() {
    let e = error(
        "zero_rows.csv",
        &ReadOptions::default(),
        "row 1: there are no data rows under the header",
    );
    assert!(e.is_schema());
}

#[test]
fn identifiers_keep_every_digit() {
    let (table, report) = ok("huge_integers.csv");
    assert_eq!(
        labels(&table, "id"),
        some(&[
            "9007199254740992",
            "9007199254740993",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551616",
            "123456789012345678901234567890",
            "-9223372036854775809",
            "007",
        ])
    );
    let finding = report
        .finding(FindingKind::LeadingZeros, Some("id"))
        .unwrap();
    assert_eq!(
        (finding.rows.as_slice(), finding.example.as_str()),
        (&[9][..], "007")
    );
    assert_eq!(labels(&table, "note")[0].as_deref(), Some("2^53"));
}

#[test]
fn huge_integers_as_numbers_are_rounded_and_reported() {
    let options = ReadOptions::default().with_column("id", ColumnRole::Numeric);
    let (table, report) = read("huge_integers.csv", &options).unwrap();
    assert_eq!(
        numbers(&table, "id"),
        [
            9_007_199_254_740_992.0,
            9_007_199_254_740_992.0,
            9.223_372_036_854_776e18,
            9.223_372_036_854_776e18,
            18_446_744_073_709_551_616.0,
            1.234_567_890_123_456_8e29,
            -9.223_372_036_854_776e18,
            7.0,
        ]
    );
    // 2^53, 2^63 and 2^64 are exact; the others are not.
    let finding = report
        .finding(FindingKind::RoundedInteger, Some("id"))
        .unwrap();
    assert_eq!(
        (finding.rows.as_slice(), finding.count),
        (&[3, 4, 7, 8][..], 4)
    );
}

#[test]
fn missing_header_is_refused_unless_declared() {
    let e = error(
        "missing_header.csv",
        &ReadOptions::default(),
        "row 1: the header is missing: '4450' in column 1 is a number",
    );
    assert!(e.is_schema());
    assert!(e.to_string().contains("`has_header`"), "{e}");
    let without = ReadOptions {
        has_header: Some(false),
        ..ReadOptions::default()
    };
    let (table, _) = read("missing_header.csv", &without).unwrap();
    assert_eq!(names(&table), ["c0", "c1", "c2", "c3"]);
    assert_eq!(numbers(&table, "c0"), STRIKE);
    assert_eq!(labels(&table, "c1")[2].as_deref(), Some("C"));
    let with = ReadOptions {
        has_header: Some(true),
        ..ReadOptions::default()
    };
    let (table, _) = read("missing_header.csv", &with).unwrap();
    assert_eq!(names(&table), ["4450", "P", "41.3", "0.1182"]);
    assert_eq!(table.n_rows(), 5);
}

#[test]
fn infinities_and_words_in_numbers_are_refused_one_by_one() {
    let file = "nan_inf.csv";
    let mut options = ReadOptions::default();
    let e = error(file, &options, "row 5: column 'value': 'inf' is infinite");
    assert!(e.is_value());
    options.infinite = Infinite::Missing;
    let e = error(
        file,
        &options,
        "row 18: column 'value': '0x10' is not a number, as 9 of the column's 12 values are",
    );
    assert!(e.is_value());
    options.missing_values = vec!["0x10".into()];
    error(
        file,
        &options,
        "row 19: column 'value': '1_000' is not a number",
    );
    options.missing_values.push("1_000".into());
    error(
        file,
        &options,
        "row 20: column 'value': 'TRUE' is not a number",
    );
    options.missing_values.push("TRUE".into());
    let (table, report) = read(file, &options).unwrap();
    let values = numbers(&table, "value");
    let found: Vec<(usize, f64)> = (0..19)
        .map(|i| (i, values[i]))
        .filter(|v| !v.1.is_nan())
        .collect();
    assert_eq!(found, [(0, 1.5), (13, 0.0), (14, 1500.0), (15, 2.5)]);
    assert!(values[13].is_sign_negative());
    let rows = |kind| report.finding(kind, Some("value")).unwrap().rows.clone();
    assert_eq!(rows(FindingKind::Infinite), [5, 6, 7, 8, 14]);
    assert_eq!(rows(FindingKind::Underflow), [15]);
    assert_eq!(rows(FindingKind::Padding), [17]);
    assert_eq!(
        rows(FindingKind::MissingText),
        [3, 4, 9, 10, 11, 13, 18, 19, 20]
    );
    assert_eq!(report.columns()[1].missing, 15);
}

#[test]
fn overflow_is_refused_like_infinity() {
    let options = ReadOptions {
        missing_values: ["inf", "-inf", "Infinity", "+Inf"]
            .map(String::from)
            .to_vec(),
        ..ReadOptions::default()
    };
    error(
        "nan_inf.csv",
        &options,
        "row 14: column 'value': '1e400' is infinite or too large",
    );
}

#[test]
fn any_text_may_be_a_label_where_declared() {
    let options = ReadOptions::default().with_column("value", ColumnRole::Categorical);
    let (table, report) = read("nan_inf.csv", &options).unwrap();
    let found = labels(&table, "value");
    assert_eq!(found[3].as_deref(), Some("inf"));
    assert_eq!(found[16].as_deref(), Some("0x10"));
    assert_eq!(found[18].as_deref(), Some("true"));
    assert_eq!(found[1], None);
    let finding = report.finding(FindingKind::Boolean, Some("value")).unwrap();
    assert_eq!(
        (finding.rows.as_slice(), finding.example.as_str()),
        (&[20][..], "TRUE")
    );
}

#[test]
fn bytes_that_are_not_utf8_are_refused() {
    let e = error(
        "non_utf8.csv",
        &ReadOptions::default(),
        "row 3: column 'name': byte 0xE9 at offset 38 is not UTF-8",
    );
    assert!(e.is_parse());
}

#[test]
fn quoted_fields_keep_commas_quotes_and_lines() {
    let (table, report) = ok("quoted_commas.csv");
    assert_eq!(
        labels(&table, "name"),
        some(&[
            "Index, S&P 500",
            "say \"put\"",
            "two\nlines",
            "1,234.5",
            "plain"
        ])
    );
    assert_eq!(
        labels(&table, "venue"),
        [
            Some("Chicago, IL".into()),
            Some("NYC".into()),
            None,
            None,
            Some("with space".into())
        ]
    );
    assert_eq!(numbers(&table, "mid"), [66.9, 52.6, 39.8, 29.1, 12.5]);
    // The record before spans lines 4 and 5.
    let rows = |column| {
        report
            .finding(FindingKind::Padding, Some(column))
            .unwrap()
            .rows
            .clone()
    };
    assert_eq!((rows("venue"), rows("mid")), (vec![7], vec![7]));
}

#[test]
fn ragged_rows_are_refused_with_both_counts() {
    let e = error(
        "ragged_row.csv",
        &ReadOptions::default(),
        "row 4: column 'implied_vol': 3 fields, but row 1 has 4",
    );
    assert!(e.is_parse());
    let text = std::fs::read_to_string(path("ragged_row.csv")).unwrap();
    let long = text.replace("4500,C,66.9\n", "");
    let e = forge_data::read_csv_from(long.as_bytes(), &ReadOptions::default()).unwrap_err();
    assert_eq!(
        e.to_string(),
        "row 5: 5 fields, but row 1 has 4; the first without a column is 'extra'"
    );
}

#[test]
fn semicolons_bring_decimal_commas_and_thousands_points() {
    let (table, report) = ok("semicolon_decimal_comma.csv");
    assert_eq!(numbers(&table, "strike"), STRIKE);
    assert_eq!(numbers(&table, "mid"), MID);
    assert_eq!(numbers(&table, "implied_vol"), VOL);
    assert_eq!(
        numbers(&table, "open_interest"),
        [1204.0, 987.0, 12_650.0, 3310.0, 455.0, 2_075_001.0]
    );
    assert!(matches!(
        report.layout(),
        Layout::Csv {
            delimiter: ';',
            decimal: Decimal::Comma,
            ..
        }
    ));
    let shown = report.to_string();
    assert!(
        shown.contains("delimiter semicolon, decimal comma"),
        "{shown}"
    );
    let finding = report
        .finding(FindingKind::Thousands, Some("open_interest"))
        .unwrap();
    assert_eq!(
        (finding.rows.as_slice(), finding.count),
        (&[2, 4, 5, 7][..], 4)
    );
}

#[test]
fn every_file_here_is_tested() {
    let mut files: Vec<String> = std::fs::read_dir(path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let tested = [
        "all_missing_column.csv",
        "bom_crlf.csv",
        "constant_column.csv",
        "duplicate_names.csv",
        "empty_file.csv",
        "huge_integers.csv",
        "missing_header.csv",
        "nan_inf.csv",
        "non_utf8.csv",
        "quoted_commas.csv",
        "ragged_row.csv",
        "semicolon_decimal_comma.csv",
        "shared_strings.xlsx",
        "zero_rows.csv",
    ];
    assert_eq!(files, tested);
}

#[test]
fn kinds_are_as_declared() {
    let options = ReadOptions::default()
        .with_column("strike", ColumnRole::Categorical)
        .with_column("mid", ColumnRole::Ignore);
    let (table, report) = read("bom_crlf.csv", &options).unwrap();
    assert_eq!(
        table.columns().iter().map(Column::kind).collect::<Vec<_>>(),
        [
            ColumnKind::Categorical,
            ColumnKind::Categorical,
            ColumnKind::Numeric
        ]
    );
    assert_eq!(report.columns()[2].kind, None);
    let unknown = ReadOptions::default().with_column("strik", ColumnRole::Numeric);
    let e = error(
        "bom_crlf.csv",
        &unknown,
        "column 'strik': declared in `columns`",
    );
    assert!(e.is_config());
}
