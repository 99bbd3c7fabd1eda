//! CSV beyond the dirty files: delimiters, marks, times, lines, hostile bytes, round trips.

use forge_data::{
    Categorical, Column, ColumnKind, ColumnRole, ColumnValues, DataError, Decimal, FindingKind,
    Layout, ReadOptions, ReadReport, Table, read_csv_from, read_table,
};
use proptest::prelude::*;

use crate::dirty_csv::{labels, numbers};

fn read(text: &str) -> Result<(Table, ReadReport), DataError> {
    read_csv_from(text.as_bytes(), &ReadOptions::default())
}

fn times(table: &Table, name: &str) -> Vec<i64> {
    match &table.column(name).unwrap().values {
        ColumnValues::DateTime(v) => v.clone(),
        other => panic!("{name} is {other:?}"),
    }
}

fn layout(report: &ReadReport) -> (char, Decimal) {
    match report.layout() {
        Layout::Csv {
            delimiter, decimal, ..
        } => (*delimiter, *decimal),
        other => panic!("{other:?}"),
    }
}

#[test]
fn delimiters_are_found() {
    for (delimiter, decimal) in [
        (',', '.'),
        (';', '.'),
        ('\t', '.'),
        ('|', '.'),
        (';', ','),
        ('\t', ','),
        ('|', ','),
    ] {
        let text = "a;b;c\n1.5;x;2.25\n3.5;y;4.75\n"
            .replace('.', &decimal.to_string())
            .replace(';', &delimiter.to_string());
        let (table, report) = read(&text).unwrap();
        assert_eq!(numbers(&table, "a"), [1.5, 3.5], "{text}");
        assert_eq!(numbers(&table, "c"), [2.25, 4.75], "{text}");
        let mark = if decimal == '.' {
            Decimal::Point
        } else {
            Decimal::Comma
        };
        assert_eq!(layout(&report), (delimiter, mark));
    }
}

#[test]
fn one_column_needs_no_delimiter() {
    let (table, report) = read("x\n1\n2\n").unwrap();
    assert_eq!(
        (numbers(&table, "x"), layout(&report).0),
        (vec![1.0, 2.0], ',')
    );
}

#[test]
fn a_separator_line_names_the_delimiter() {
    let (table, report) = read("sep=;\r\na;b\r\n1;2\r\n").unwrap();
    assert_eq!(numbers(&table, "b"), [2.0]);
    assert!(report.finding(FindingKind::SeparatorLine, None).is_some());
    assert_eq!(
        read("sep=;\r\na;b\r\n1\r\n").unwrap_err().to_string(),
        "row 3: column 'b': 1 field, but row 2 has 2"
    );
}

#[test]
fn marks_that_contradict_are_refused() {
    let e = read("a;b\n1,5;2.5\n").unwrap_err();
    assert_eq!(
        e.to_string(),
        "row 2: column 'a': '1,5' is a number with a decimal comma, but '2.5' in row 2, column \
         'b' is one with a decimal point; set `decimal`"
    );
    let options = ReadOptions {
        decimal: Some(Decimal::Point),
        ..ReadOptions::default()
    };
    // With the point declared, 'a' holds labels.
    let (table, _) = read_csv_from("a;b\n1,5;2.5\n".as_bytes(), &options).unwrap();
    assert_eq!(labels(&table, "a"), [Some("1,5".to_owned())]);
}

#[test]
fn an_undecided_mark_is_reported() {
    let (table, report) = read("a;b\n1.204;x\n2.305;y\n").unwrap();
    assert_eq!(numbers(&table, "a"), [1.204, 2.305]);
    let finding = report
        .finding(FindingKind::AssumedPoint, Some("a"))
        .unwrap();
    assert_eq!((finding.count, finding.example.as_str()), (2, "1.204"));
    let (_, report) = read("a;b\n1.204;7.5\n2.305;8.5\n").unwrap();
    assert!(report.findings().is_empty(), "{report}");
}

#[test]
fn thousands_commas_are_taken_out() {
    let (table, report) = read("a,b\n\"1,234.5\",1\n\"12,345,678\",2\n7,3\n").unwrap();
    assert_eq!(numbers(&table, "a"), [1234.5, 12_345_678.0, 7.0]);
    let finding = report.finding(FindingKind::Thousands, Some("a")).unwrap();
    assert_eq!(finding.rows, [2, 3]);
}

#[test]
fn times_are_read_as_utc_milliseconds() {
    let (table, _) =
        read("day,at\n2023-09-14,2023-09-14 16:15:00\n,2023-09-15T00:00:00+02:00\n").unwrap();
    assert_eq!(
        times(&table, "day"),
        [1_694_649_600_000, Column::MISSING_TIME]
    );
    assert_eq!(times(&table, "at"), [1_694_708_100_000, 1_694_728_800_000]);
}

#[test]
fn one_bad_date_among_dates_is_refused() {
    let e = read("day\n2023-09-14\n2023-02-29\n2023-09-15\n").unwrap_err();
    assert!(
        e.to_string()
            .starts_with("row 3: column 'day': '2023-02-29' is not a date"),
        "{e}"
    );
}

#[test]
fn compact_dates_are_numbers_unless_declared() {
    let text = "day\n20230914\n20230915\n";
    assert_eq!(
        numbers(&read(text).unwrap().0, "day"),
        [20_230_914.0, 20_230_915.0]
    );
    let options = ReadOptions::default().with_column("day", ColumnRole::DateTime);
    let (table, _) = read_csv_from(text.as_bytes(), &options).unwrap();
    assert_eq!(times(&table, "day"), [1_694_649_600_000, 1_694_736_000_000]);
}

#[test]
fn one_word_among_numbers_is_refused_and_mixed_labels_are_not() {
    let e = read("x\n1\n2\nabc\n").unwrap_err();
    assert!(e.is_value());
    assert!(
        e.to_string().starts_with(
            "row 4: column 'x': 'abc' is not a number, as 2 of the column's 3 values are"
        ),
        "{e}"
    );
    // Half and half: labels.
    let (table, _) = read("x\n1\nabc\n").unwrap();
    assert_eq!(table.columns()[0].kind(), ColumnKind::Categorical);
}

#[test]
fn declared_missing_values_are_missing_whatever_their_form() {
    let options = ReadOptions {
        missing_values: vec!["-999".into(), "void".into()],
        ..ReadOptions::default()
    };
    let text = "x,y\n-999,void\n-999.0,b\n1,-999\n";
    let (table, report) = read_csv_from(text.as_bytes(), &options).unwrap();
    let x = numbers(&table, "x");
    assert!(x[0].is_nan() && x[1].is_nan() && x[2] == 1.0);
    assert_eq!(labels(&table, "y"), [None, Some("b".into()), None]);
    assert_eq!(
        report
            .finding(FindingKind::MissingText, Some("x"))
            .unwrap()
            .rows,
        [2, 3]
    );
    let strict = ReadOptions {
        default_missing_values: false,
        ..ReadOptions::default()
    };
    let (table, _) = read_csv_from("x\nNA\nNL\n".as_bytes(), &strict).unwrap();
    assert_eq!(labels(&table, "x"), [Some("NA".into()), Some("NL".into())]);
}

#[test]
fn a_second_file_is_read_like_the_first() {
    let (table, _) = read("id,n\n007,1\n008,2\n").unwrap();
    let again = read_csv_from(
        "n,id\n3,100\n".as_bytes(),
        &ReadOptions::default().like(&table),
    )
    .unwrap()
    .0;
    assert_eq!(labels(&again, "id"), [Some("100".into())]);
    assert_eq!(numbers(&again, "n"), [3.0]);
}

#[test]
fn empty_rows_at_the_end_go_and_others_stay() {
    let (table, report) = read("a,b\n1,2\n,\n3,4\n,\n, \n").unwrap();
    assert_eq!(table.n_rows(), 3);
    assert!(numbers(&table, "a")[1].is_nan());
    let kept = report.finding(FindingKind::EmptyRows, None).unwrap();
    assert_eq!((kept.rows.as_slice(), kept.count), (&[3][..], 1));
    let gone = report.finding(FindingKind::TrailingRows, None).unwrap();
    assert_eq!((gone.rows.as_slice(), gone.count), (&[5, 6][..], 2));
}

#[test]
fn lines_are_counted_as_an_editor_counts_them() {
    for end in ["\n", "\r\n", "\r"] {
        let text = "a,b\n\n\n1,2\n\"x\ny\",3\n\n9\n".replace('\n', end);
        let e = read(&text).unwrap_err().to_string();
        // CR inside quotes is no line to an editor that knows LF; only there they differ.
        let row = if end == "\r" { 7 } else { 8 };
        assert_eq!(
            e,
            format!("row {row}: column 'b': 1 field, but row 1 has 2"),
            "{text:?}"
        );
    }
    let (_, report) = read("a,b\n\n\n1,2\n   \n3,4\n").unwrap();
    assert_eq!(
        report.finding(FindingKind::BlankLines, None).unwrap().count,
        3
    );
}

#[test]
fn an_open_quote_is_refused() {
    for text in [
        "a,b\n1,x\n2,\"y\n3,z\n",
        "a,b\n1,x\n2,\"y\n3,z",
        "a\n\"x\"\"\n",
        "a,b\n1,\"",
    ] {
        let e = read(text).unwrap_err();
        assert!(
            e.to_string()
                .contains("a quotation mark opens a field here"),
            "{text:?}: {e}"
        );
    }
    for text in [
        "a,b\n1,\"y\"",
        "a,b\n1,x\"y",
        "a,b\n1,\"\"",
        "a,b\n1,\"say \"\"x\"\"\"",
    ] {
        read(text).unwrap();
    }
    assert!(
        read("a,b\n1,x\n2,\"y\n")
            .unwrap_err()
            .to_string()
            .starts_with("row 3: ")
    );
}

#[test]
fn headers_are_named_where_they_have_none() {
    let (table, report) = read(",a, b \n1,2,3\n").unwrap();
    let names: Vec<&str> = table.columns().iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["c0", "a", "b"]);
    assert!(report.finding(FindingKind::Unnamed, Some("c0")).is_some());
    let (table, report) = read("a,b,\n1,2,\n3,4,\n").unwrap();
    assert_eq!(table.n_columns(), 2);
    assert!(report.finding(FindingKind::EmptyColumn, None).is_some());
    let e = read("Report,,\nx,y,z\n1,2,3\n").unwrap_err();
    assert!(
        e.to_string().contains("only 1 of 3 columns have a name"),
        "{e}"
    );
    let options = ReadOptions {
        skip_rows: 1,
        ..ReadOptions::default()
    };
    let (table, _) = read_csv_from("Report,,\nx,y,z\n1,2,3\n".as_bytes(), &options).unwrap();
    assert_eq!(numbers(&table, "z"), [3.0]);
}

#[test]
fn a_limit_reads_the_first_rows() {
    let options = ReadOptions {
        max_rows: Some(2),
        ..ReadOptions::default()
    };
    let (table, report) = read_csv_from("x\n1\n2\noops\n".as_bytes(), &options).unwrap();
    assert_eq!(numbers(&table, "x"), [1.0, 2.0]);
    assert!(report.finding(FindingKind::Limit, None).is_some());
}

#[test]
fn utf16_and_bad_delimiters_are_named() {
    let e = read_csv_from(&b"\xff\xfea\0,\0b\0"[..], &ReadOptions::default()).unwrap_err();
    assert!(e.to_string().contains("UTF-16"), "{e}");
    // Two bytes that make a letter only without the comma between them.
    let e = read_csv_from(&b"a,b\n\xc3,\xa9\n"[..], &ReadOptions::default()).unwrap_err();
    assert_eq!(
        e.to_string(),
        "row 2: column 'a': byte 0xC3 at offset 4 is not UTF-8; save the file as UTF-8"
    );
    let options = ReadOptions {
        delimiter: Some('é'),
        ..ReadOptions::default()
    };
    assert!(
        read_csv_from("a\n1\n".as_bytes(), &options)
            .unwrap_err()
            .is_config()
    );
}

#[test]
fn a_label_column_of_identifiers_is_pointed_out() {
    let rows: Vec<String> = (0..30).map(|i| format!("order-{i}")).collect();
    let (_, report) = read(&format!("id\n{}\n", rows.join("\n"))).unwrap();
    assert!(
        report
            .finding(FindingKind::ManyLabels, Some("id"))
            .is_some()
    );
}

#[test]
fn unknown_types_and_missing_files_are_named() {
    let e = read_table("chain.json", &ReadOptions::default()).unwrap_err();
    assert!(
        e.is_unsupported() && e.to_string().contains("'json'"),
        "{e}"
    );
    let e = read_table("no/such/chain.csv", &ReadOptions::default()).unwrap_err();
    assert!(
        e.is_io() && e.to_string().starts_with("no/such/chain.csv: "),
        "{e}"
    );
    if cfg!(not(feature = "parquet")) {
        let e = read_table("chain.parquet", &ReadOptions::default()).unwrap_err();
        assert!(
            e.is_unsupported() && e.to_string().contains("feature `parquet`"),
            "{e}"
        );
    }
    if cfg!(not(feature = "excel")) {
        let e = read_table("chain.xlsx", &ReadOptions::default()).unwrap_err();
        assert!(
            e.is_unsupported() && e.to_string().contains("feature `excel`"),
            "{e}"
        );
    }
}

#[test]
fn options_refuse_unknown_keys() {
    let options: ReadOptions = serde_json::from_str(
        r#"{"delimiter": ";", "decimal": "comma", "columns": {"x": "ignore", "t": "datetime"}, "infinite": "missing"}"#,
    )
    .unwrap();
    assert_eq!(
        (options.delimiter, options.decimal),
        (Some(';'), Some(Decimal::Comma))
    );
    assert_eq!(options.columns["t"], ColumnRole::DateTime);
    assert!(serde_json::from_str::<ReadOptions>(r#"{"delimitr": ";"}"#).is_err());
}

fn label() -> impl Strategy<Value = String> {
    // A letter in front: no number, date, boolean or missing value.
    "x[ a-zé,;\"\n\r|\t0-9.]{0,8}z"
}

/// Columns of `rows` cells, each with at least one value, since a column without any has no kind.
fn table() -> impl Strategy<Value = Table> {
    (1usize..12).prop_flat_map(|rows| {
        let number = prop_oneof![
            4 => any::<f64>().prop_filter("finite", |v| v.is_finite()),
            1 => Just(f64::NAN),
            1 => Just(-0.0),
            1 => (-9e15..9e15).prop_map(f64::round),
        ];
        // The years 1 to 9999.
        let time = prop_oneof![4 => -62_135_596_800_000i64..253_402_300_800_000, 1 => Just(Column::MISSING_TIME)];
        let label = proptest::option::weighted(0.8, label());
        (
            proptest::collection::vec(number, rows),
            proptest::collection::vec(time, rows),
            proptest::collection::vec(label, rows),
        )
            .prop_map(move |(numbers, times, labels)| {
                Table::new(vec![
                    Column::numeric("a,b", numbers),
                    Column::date_time("t\"t", times),
                    Column::categorical("x y", labels),
                ])
                .unwrap()
            })
    })
}

fn same(a: &Column, b: &Column) -> bool {
    let all_missing = a.missing() == a.len() && b.missing() == b.len();
    let equal = match (&a.values, &b.values) {
        (ColumnValues::Numeric(a), ColumnValues::Numeric(b)) => a
            .iter()
            .zip(b)
            .all(|(a, b)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()),
        (a, b) => a == b,
    };
    a.name == b.name && a.len() == b.len() && (equal || all_missing)
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_csv_from(&bytes[..], &ReadOptions::default());
    }

    #[test]
    fn arbitrary_tables_never_panic(
        text in "([-0-9a.,;|\"\n\r\t eE+:TZ]|NA|inf|1e999|2023-01-0){0,80}",
        has_header in any::<Option<bool>>(),
    ) {
        let options = ReadOptions { has_header, ..ReadOptions::default() };
        if let Ok((table, report)) = read_csv_from(text.as_bytes(), &options) {
            prop_assert!(table.n_rows() > 0 && table.n_columns() > 0);
            prop_assert_eq!(report.rows(), table.n_rows());
            prop_assert!(!report.to_string().is_empty() && !table.to_string().is_empty());
            for column in table.columns() {
                if let ColumnValues::Numeric(v) = &column.values {
                    prop_assert!(v.iter().all(|v| !v.is_infinite()));
                }
                if let ColumnValues::Categorical(c) = &column.values {
                    prop_assert!(c.codes.iter().all(|&code| code == Categorical::MISSING || (code as usize) < c.categories.len()));
                }
            }
        }
    }

    #[test]
    fn what_is_written_reads_back(table in table()) {
        let mut text = Vec::new();
        table.write_csv_to(&mut text).unwrap();
        let (again, report) = read_csv_from(&text[..], &ReadOptions::default()).unwrap();
        for (a, b) in table.columns().iter().zip(again.columns()) {
            prop_assert!(same(a, b), "{a:?}\n{b:?}\n{report}\n{}", String::from_utf8_lossy(&text));
        }
        prop_assert_eq!(table.n_columns(), again.n_columns());
    }
}
