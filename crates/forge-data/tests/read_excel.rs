//! Sheets: what is repaired, what is refused, and damaged files.

use std::io::{Cursor, Write};
use std::time::Instant;

use forge_data::{
    Column, ColumnRole, ColumnValues, DataError, FindingKind, Layout, ReadOptions, ReadReport,
    Table, read_table,
};
use zip::write::SimpleFileOptions;

use crate::dirty_csv::{labels, numbers, path};
use crate::workbook::{cells, save, workbook};

fn read_bytes(bytes: &[u8], options: &ReadOptions) -> Result<(Table, ReadReport), DataError> {
    let (_folder, path) = save(bytes, "book.xlsx");
    read_table(&path, options)
}

fn read(rows: &[&[&str]]) -> Result<(Table, ReadReport), DataError> {
    let book = workbook(&[("chain", &cells(rows))], "");
    read_bytes(&book, &ReadOptions::default())
}

fn times(table: &Table, name: &str) -> Vec<i64> {
    match &table.column(name).unwrap().values {
        ColumnValues::DateTime(v) => v.clone(),
        other => panic!("{name} is {other:?}"),
    }
}

/// An error without the path of its temporary file.
fn message(error: DataError) -> String {
    let text = error.to_string();
    text.split_once("book.xlsx: ")
        .map_or(text.clone(), |(_, rest)| rest.to_owned())
}

const DAY: i64 = 86_400_000;
/// 2023-09-29, serial number 45198.
const DAY_45198: i64 = 19_629 * DAY;

#[test]
fn shared_strings_dates_booleans_and_errors_are_read() {
    let (table, report) = read_table(path("shared_strings.xlsx"), &ReadOptions::default()).unwrap();
    assert_eq!(table.n_rows(), 6);
    assert_eq!(
        numbers(&table, "strike"),
        [4450.0, 4475.0, 4500.0, 4525.0, 4550.0, 4575.0]
    );
    let mid = numbers(&table, "mid");
    assert!(mid[2].is_nan());
    assert_eq!((mid[1], mid[5]), (52.6, 29.1));
    let expected: Vec<i64> = (0..6).map(|i| DAY_45198 + i * DAY).collect();
    assert_eq!(times(&table, "expiry"), expected);
    let call = ["false", "false", "true", "true", "true", "true"].map(|l| Some(l.to_owned()));
    assert_eq!(labels(&table, "is_call"), call);
    assert_eq!(labels(&table, "comment")[1].as_deref(), Some("é <&> \"q\""));
    let error = report
        .finding(FindingKind::ErrorValue, Some("mid"))
        .unwrap();
    assert_eq!(
        (error.rows.as_slice(), error.example.as_str()),
        (&[4][..], "#N/A")
    );
    assert_eq!(report.findings().len(), 1, "{report}");
}

#[test]
fn planted_cells_are_repaired_and_reported() {
    let (table, report) = read(&[
        &["'strike", "'mid", "'type", "'call"],
        &["4450", "=B1+C1|", "'P", "TRUE"],
        &["'4500", "'n/a", "", "#REF!"],
        &["4550", "=1+1|2", "'X ", "FALSE"],
        &["", "", "", ""],
        &["", "' ", "", ""],
    ])
    .unwrap();
    assert_eq!(numbers(&table, "strike"), [4450.0, 4500.0, 4550.0]);
    let mid = numbers(&table, "mid");
    assert!(mid[0].is_nan() && mid[1].is_nan() && mid[2] == 2.0);
    assert_eq!(
        labels(&table, "type"),
        [Some("P".into()), None, Some("X".into())]
    );
    assert_eq!(
        labels(&table, "call"),
        [Some("true".into()), None, Some("false".into())]
    );
    let found = |kind, column: Option<&str>| {
        let finding = report.finding(kind, column).unwrap();
        (finding.rows.clone(), finding.example.clone())
    };
    assert_eq!(
        found(FindingKind::NumberAsText, Some("strike")),
        (vec![3], "4500".into())
    );
    assert_eq!(
        found(FindingKind::FormulaWithoutResult, Some("mid")),
        (vec![2], "B1+C1".into())
    );
    assert_eq!(
        found(FindingKind::MissingText, Some("mid")),
        (vec![3], "n/a".into())
    );
    assert_eq!(
        found(FindingKind::Padding, Some("type")),
        (vec![4], "X ".into())
    );
    assert_eq!(
        found(FindingKind::ErrorValue, Some("call")),
        (vec![3], "#REF!".into())
    );
    assert_eq!(found(FindingKind::TrailingRows, None).0, [5, 6]);
    assert_eq!(report.findings().len(), 6, "{report}");
}

#[test]
fn times_follow_the_workbooks_calendar() {
    let rows: &[&[&str]] = &[
        &["'day", "'at", "'elapsed", "'clock"],
        &["@1:45198", "@4:45198.75", "@2:1.5", "@3:0.25"],
    ];
    let book = workbook(&[("s", &cells(rows))], "");
    let (table, report) = read_bytes(&book, &ReadOptions::default()).unwrap();
    assert_eq!(times(&table, "day"), [DAY_45198]);
    assert_eq!(times(&table, "at"), [DAY_45198 + DAY * 3 / 4]);
    assert_eq!(numbers(&table, "elapsed"), [1.5]);
    assert_eq!(numbers(&table, "clock"), [0.25]);
    assert!(
        report
            .finding(FindingKind::Duration, Some("clock"))
            .is_some()
    );
    let book = workbook(&[("s", &cells(rows))], r#"date1904="1""#);
    let (table, _) = read_bytes(&book, &ReadOptions::default()).unwrap();
    assert_eq!(times(&table, "day"), [DAY_45198 + 1462 * DAY]);
}

#[test]
fn sheets_are_chosen_by_name_and_others_mentioned() {
    let (first, second) = (cells(&[&["'a"], &["1"]]), cells(&[&["'b"], &["2"]]));
    let book = workbook(&[("one", &first), ("two", &second)], "");
    let (table, report) = read_bytes(&book, &ReadOptions::default()).unwrap();
    assert_eq!(numbers(&table, "a"), [1.0]);
    assert!(
        matches!(report.layout(), Layout::Excel { sheet, other_sheets, .. } if sheet == "one" && other_sheets == &["two"])
    );
    let options = |name: &str| ReadOptions {
        sheet: Some(name.into()),
        ..ReadOptions::default()
    };
    assert_eq!(
        numbers(&read_bytes(&book, &options("two")).unwrap().0, "b"),
        [2.0]
    );
    let e = read_bytes(&book, &options("three")).unwrap_err();
    assert!(e.is_config());
    assert_eq!(message(e), "`sheet` is 'three'; the file has 'one', 'two'");
}

#[test]
fn headers_are_checked_as_in_csv() {
    let e = read(&[&["4450", "'P"], &["4475", "'C"]]).unwrap_err();
    assert!(message(e).starts_with("row 1: the header is missing: '4450' in column 1 is a number"));
    let e = read(&[&["'bid", "'ask", "'bid"], &["1", "2", "3"]]).unwrap_err();
    assert!(message(e).starts_with("row 1: column 'bid': columns 1 and 3 have the same name"));
    let e = read(&[&["'Report of today"], &["'a", "'b", "'c"], &["1", "2", "3"]]).unwrap_err();
    assert!(message(e).starts_with("row 1: only 1 of 3 columns have a name"));
    assert_eq!(
        message(read(&[&["'a", "'b"]]).unwrap_err()),
        "row 1: there are no data rows under the header"
    );
    assert!(message(read(&[&["", ""]]).unwrap_err()).contains("no rows"));
    let options = ReadOptions {
        has_header: Some(false),
        ..ReadOptions::default()
    };
    let book = workbook(&[("s", &cells(&[&["1"], &["2", "3"]]))], "");
    let (table, _) = read_bytes(&book, &options).unwrap();
    assert!(numbers(&table, "c1")[0].is_nan());
    assert_eq!(numbers(&table, "c0"), [1.0, 2.0]);
    // The header is the first row that is not empty, after those to skip.
    let options = ReadOptions {
        skip_rows: 1,
        ..ReadOptions::default()
    };
    let rows: &[&[&str]] = &[&["'title"], &["", ""], &["'a", "'b"], &["1", "2"]];
    let (table, report) = read_bytes(&workbook(&[("s", &cells(rows))], ""), &options).unwrap();
    assert_eq!(
        (numbers(&table, "b"), report.findings().len()),
        (vec![2.0], 0)
    );
}

#[test]
fn words_in_numbers_name_their_cell() {
    let e = read(&[&["'mid"], &["1"], &["2"], &["'abc"]]).unwrap_err();
    assert!(e.is_value());
    assert!(message(e).starts_with(
        "row 4: column 'mid': 'abc' is not a number, as 2 of the column's 3 values are"
    ));
    let e = read(&[&["'day"], &["@1:45198"], &["@1:45199"], &["7"]]).unwrap_err();
    assert!(message(e).starts_with("row 4: column 'day': '7' is not a date"));
}

#[test]
fn texts_of_digits_stay_labels_where_they_identify() {
    let (table, report) = read(&[&["'isin"], &["'007"], &["'008"]]).unwrap();
    assert_eq!(
        labels(&table, "isin"),
        [Some("007".into()), Some("008".into())]
    );
    assert!(
        report
            .finding(FindingKind::LeadingZeros, Some("isin"))
            .is_some()
    );
}

#[test]
fn numbers_as_labels_read_like_those_of_a_csv_file() {
    let options = ReadOptions::default().with_column("k", ColumnRole::Categorical);
    let book = workbook(
        &[("s", &cells(&[&["'k"], &["4450"], &["0.1"], &["TRUE"]]))],
        "",
    );
    let (table, _) = read_bytes(&book, &options).unwrap();
    let expected = ["4450", "0.1", "true"].map(|l| Some(l.to_owned()));
    assert_eq!(labels(&table, "k"), expected);
    let (csv, _) = forge_data::read_csv_from("k\n4450\n0.1\nTRUE\n".as_bytes(), &options).unwrap();
    assert_eq!(labels(&csv, "k"), expected);
}

#[test]
fn a_stray_cell_far_away_is_refused_at_once() {
    let start = Instant::now();
    let far = format!(
        r#"{}<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>"#,
        cells(&[&["'a"], &["1"]])
    );
    let e = read_bytes(&workbook(&[("s", &far)], ""), &ReadOptions::default()).unwrap_err();
    assert!(
        e.to_string()
            .contains("row 1048576: the sheet is nearly empty"),
        "{e}"
    );
    let beyond = r#"<row r="9999999"><c r="A9999999"><v>1</v></c></row>"#;
    let e = read_bytes(&workbook(&[("s", beyond)], ""), &ReadOptions::default()).unwrap_err();
    assert!(e.is_parse(), "{e}");
    let mixed = r#"<row r="3"><c r="A3"><v>1</v></c></row><row r="2"><c r="A2"><v>1</v></c></row>"#;
    let e = read_bytes(&workbook(&[("s", mixed)], ""), &ReadOptions::default()).unwrap_err();
    assert!(e.to_string().contains("out of order"), "{e}");
    assert!(start.elapsed().as_secs() < 5);
}

#[test]
fn a_file_that_unfolds_is_refused() {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("xl/sharedStrings.xml", SimpleFileOptions::default())
        .unwrap();
    let block = vec![b' '; 1 << 20];
    for _ in 0..20 {
        zip.write_all(&block).unwrap();
    }
    let bytes = zip.finish().unwrap().into_inner();
    assert!(bytes.len() < 1 << 16, "{} bytes", bytes.len());
    let options = ReadOptions {
        max_unpacked_bytes: 10 << 20,
        ..ReadOptions::default()
    };
    let e = read_bytes(&bytes, &options).unwrap_err();
    assert!(e.is_value());
    assert!(
        message(e)
            .contains("unpacks to more than 10485760 bytes (in its part 'xl/sharedStrings.xml')")
    );
    let small = ReadOptions {
        max_cells: 3,
        ..ReadOptions::default()
    };
    let book = workbook(
        &[("s", &cells(&[&["'a", "'b"], &["1", "2"], &["3", "4"]]))],
        "",
    );
    let e = read_bytes(&book, &small).unwrap_err();
    assert!(e.to_string().contains("`max_cells`"), "{e}");
}

/// Every cut and many flipped bits of a real workbook: an error or a table, never a panic.
#[test]
fn damaged_workbooks_give_errors() {
    let good = std::fs::read(path("shared_strings.xlsx")).unwrap();
    let (_folder, file) = save(&good, "book.xlsx");
    let mut errors = 0;
    let mut check = |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        match read_table(&file, &ReadOptions::default()) {
            Ok((table, _)) => assert!(table.n_rows() > 0),
            Err(e) => {
                assert!(e.to_string().contains("book.xlsx"), "{e}");
                errors += 1;
            }
        }
    };
    check(b"strike,mid\n1,2\n");
    for cut in (0..good.len()).step_by(41) {
        check(&good[..cut]);
    }
    for i in 0..400 {
        let mut bytes = good.clone();
        let at = i * good.len() / 400;
        bytes[at] ^= 1 << (i % 8);
        check(&bytes);
    }
    assert!(
        errors > 200,
        "only {errors} of the damaged files were refused"
    );
}

/// Damage inside of the parts, past the checksums of the archive.
#[test]
fn damaged_sheets_give_errors() {
    let sheet = cells(&[
        &["'strike", "'mid", "'day"],
        &["1", "=A1|2", "@1:45198"],
        &["3", "4", "@1:45199"],
    ]);
    let mut refused = 0;
    for i in 0..sheet.len() {
        for with in ["<", "\"", "9", "", "&", "\u{e9}"] {
            let mut bad = sheet.clone();
            bad.replace_range(i..=i, with);
            if let Err(e) = read_bytes(&workbook(&[("s", &bad)], ""), &ReadOptions::default()) {
                assert!(
                    !e.to_string().contains("does not expect"),
                    "panicked at {i} {with}: {e}"
                );
                refused += 1;
            }
        }
    }
    assert!(refused > 500, "{refused}");
}

#[test]
fn missing_times_are_missing() {
    let (table, _) = read(&[&["'day", "'x"], &["@1:45198", "1"], &["", "2"]]).unwrap();
    assert_eq!(times(&table, "day"), [DAY_45198, Column::MISSING_TIME]);
}

#[test]
fn xls_is_read_like_xlsx() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sheets/small.xls");
    let (table, report) = read_table(file, &ReadOptions::default()).unwrap();
    assert_eq!(numbers(&table, "strike"), [4450.0, 4475.0, 4500.25]);
    assert_eq!(
        times(&table, "expiry"),
        [DAY_45198, DAY_45198 + DAY, DAY_45198 + DAY]
    );
    let mid = numbers(&table, "mid");
    assert!(mid[0] == 41.3 && mid[1].is_nan() && mid[2] == 66.9);
    let formula = report.finding(FindingKind::FormulaWithoutResult, Some("mid"));
    assert_eq!(formula.unwrap().rows, [5]);
    let call = ["false", "true", "true"].map(|l| Some(l.to_owned()));
    assert_eq!(labels(&table, "is_call"), call);
    assert_eq!(
        labels(&table, "type"),
        [Some("P".into()), Some("C".into()), None]
    );
    // The header is in row 3, so the data start in row 4.
    let text = report.finding(FindingKind::NumberAsText, Some("strike"));
    assert_eq!(text.unwrap().rows, [5]);
    let error = report.finding(FindingKind::ErrorValue, Some("type"));
    assert_eq!(error.unwrap().rows, [6]);
}

#[test]
fn ods_is_read_like_xlsx() {
    let content = r##"<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">
<office:body><office:spreadsheet><table:table table:name="chain">
<table:table-row table:number-rows-repeated="2"><table:table-cell table:number-columns-repeated="3"/></table:table-row>
<table:table-row><table:table-cell office:value-type="string"><text:p>strike</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p>expiry</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p>call</text:p></table:table-cell></table:table-row>
<table:table-row><table:table-cell office:value-type="float" office:value="4450.5"><text:p>4450.50</text:p></table:table-cell><table:table-cell office:value-type="date" office:date-value="2023-09-29"><text:p>29/09/23</text:p></table:table-cell><table:table-cell office:value-type="boolean" office:boolean-value="true"><text:p>TRUE</text:p></table:table-cell></table:table-row>
<table:table-row><table:table-cell office:value-type="string"><text:p>4475</text:p></table:table-cell><table:table-cell/><table:table-cell office:value-type="boolean" office:boolean-value="false"><text:p>FALSE</text:p></table:table-cell></table:table-row>
</table:table></office:spreadsheet></office:body></office:document-content>"##;
    let book = |content: &str| {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in [
            ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
            (
                "META-INF/manifest.xml",
                r#"<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>"#,
            ),
            ("content.xml", content),
        ] {
            zip.start_file(name, SimpleFileOptions::default()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    };
    let (_folder, file) = save(&book(content), "book.ods");
    let (table, report) = read_table(&file, &ReadOptions::default()).unwrap();
    assert_eq!(numbers(&table, "strike"), [4450.5, 4475.0]);
    assert_eq!(times(&table, "expiry"), [DAY_45198, Column::MISSING_TIME]);
    assert_eq!(
        labels(&table, "call"),
        [Some("true".into()), Some("false".into())]
    );
    let text = report.finding(FindingKind::NumberAsText, Some("strike"));
    assert_eq!(text.unwrap().rows, [5]);
    // Repeated to a million rows: refused, not unfolded.
    let far = content.replace("<table:table-cell/>", r#"<table:table-cell table:number-columns-repeated="16000" office:value-type="float" office:value="1"/>"#)
        .replacen("<table:table-row>", r#"<table:table-row table:number-rows-repeated="1000000">"#, 2);
    let start = Instant::now();
    let (_folder, file) = save(&book(&far), "book.ods");
    let e = read_table(&file, &ReadOptions::default()).unwrap_err();
    assert!(e.is_value() && start.elapsed().as_secs() < 10, "{e}");
}
