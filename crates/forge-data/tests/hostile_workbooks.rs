//! Small workbooks that unfold to large ones are refused before anything of them is made.

use std::io::{Cursor, Write};
use std::time::{Duration, Instant};

use forge_data::{DataError, ReadOptions, read_table};
use zip::write::SimpleFileOptions;

use crate::merged_cells::ods;
use crate::workbook::{cells, save, workbook};

const LIMIT: u64 = 64 << 20;

fn read(bytes: &[u8], name: &str) -> Result<(), DataError> {
    let options = ReadOptions {
        max_unpacked_bytes: LIMIT,
        ..ReadOptions::default()
    };
    let (_folder, path) = save(bytes, name);
    let start = Instant::now();
    let read = read_table(&path, &options).map(drop);
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
    read
}

fn refused(bytes: &[u8], name: &str) {
    let error = read(bytes, name).unwrap_err();
    assert!(
        error.is_value() && error.to_string().contains("`max_unpacked_bytes`"),
        "{error}"
    );
}

/// A workbook with one more part.
fn with_part(name: &str, text: &str) -> Vec<u8> {
    let plain = workbook(&[("s", &cells(&[&["'x"], &["1"]]))], "");
    let mut archive = zip::ZipArchive::new(Cursor::new(plain)).unwrap();
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for i in 0..archive.len() {
        let part = archive.by_index(i).unwrap();
        let same = part.name().unwrap() == name;
        if !same {
            zip.raw_copy_file(part).unwrap();
        }
    }
    zip.start_file(name, SimpleFileOptions::default()).unwrap();
    zip.write_all(text.as_bytes()).unwrap();
    zip.finish().unwrap().into_inner()
}

#[test]
fn empty_shared_texts_count_as_memory_does() {
    let texts = |count: usize| format!("<sst>{}</sst>", "<si/>".repeat(count));
    // 15 MB of the file, 24 bytes and more of memory for each five letters.
    refused(
        &with_part("xl/sharedStrings.xml", &texts(3_000_000)),
        "texts.xlsx",
    );
    assert!(
        read(
            &with_part("xl/sharedStrings.xml", &texts(1000)),
            "texts.xlsx"
        )
        .is_ok()
    );
}

#[test]
fn stated_counts_are_not_reserved() {
    let text = r#"<sst uniqueCount="100000000000000"><si><t>a</t></si></sst>"#;
    refused(&with_part("xl/sharedStrings.xml", text), "count.xlsx");
}

#[test]
fn styles_count_as_memory_does() {
    let text = format!(
        "<styleSheet><cellXfs>{}</cellXfs></styleSheet>",
        "<xf/>".repeat(200_000)
    );
    refused(&with_part("xl/styles.xml", &text), "styles.xlsx");
}

#[test]
fn a_row_has_no_more_cells_than_a_row_can_have() {
    let row = r#"<c r="A1"><v>1</v></c>"#.repeat(20_000);
    let book = workbook(&[("s", &format!(r#"<row r="1">{row}</row>"#))], "");
    let error = read(&book, "row.xlsx").unwrap_err();
    assert!(
        error.is_parse() && error.to_string().contains("more than the 16384 cells"),
        "{error}"
    );
}

fn sheet(rows: &str) -> Vec<u8> {
    ods(&format!(
        r#"<?xml version="1.0"?><office:document-content xmlns:office="o" xmlns:table="t"><office:body><office:spreadsheet><table:table table:name="s">{rows}</table:table></office:spreadsheet></office:body></office:document-content>"#
    ))
}

#[test]
fn repeated_cells_of_opendocument_are_multiplied_not_made() {
    let cell = |attributes: &str| format!(r#"<table:table-cell office:value="1" {attributes}/>"#);
    let row = |repeated: u64, cells: &str| {
        format!(
            r#"<table:table-row table:number-rows-repeated="{repeated}">{cells}</table:table-row>"#
        )
    };
    let wide = cell(r#"table:number-columns-repeated="90""#);
    // A million rows of 90 cells.
    refused(&sheet(&row(1_000_000, &wide)), "rows.ods");
    // Two cells in opposite corners, and empty rows between them.
    let far = format!(
        "{}{}{}",
        row(1, &cell("")),
        row(1_000_000, "<table:table-cell/>"),
        row(
            1,
            &format!(
                r#"<table:table-cell table:number-columns-repeated="90"/>{}"#,
                cell("")
            )
        )
    );
    refused(&sheet(&far), "corners.ods");
    // Wide rows, each there once.
    let full = cell(r#"table:number-columns-repeated="16384""#);
    refused(&sheet(&row(1, &full).repeat(100)), "wide.ods");
    // A long text many times over.
    let text = format!(
        r#"<table:table-cell office:string-value="{}" table:number-columns-repeated="16000"/>"#,
        "a".repeat(10_000)
    );
    refused(&sheet(&row(1, &text)), "texts.ods");
    // The empty rows and cells that writers leave at the end of a sheet are nothing.
    let end = format!(
        "{}{}{}",
        row(1, r#"<table:table-cell office:string-value="x"/>"#),
        row(3, &cell("")),
        row(
            1_048_572,
            r#"<table:table-cell table:number-columns-repeated="16384"/>"#
        )
    );
    assert!(read(&sheet(&end), "end.ods").is_ok());
}

#[test]
fn corners_of_an_old_workbook_are_multiplied_not_made() {
    let record = |kind: u16, data: &[u8]| {
        let length = u16::try_from(data.len()).unwrap();
        [&kind.to_le_bytes()[..], &length.to_le_bytes(), data].concat()
    };
    let number = |row: u16, column: u16| {
        let place = [row.to_le_bytes(), column.to_le_bytes(), [0, 0]].concat();
        record(0x0203, &[place, 1f64.to_le_bytes().to_vec()].concat())
    };
    let begin = record(0x0809, &[0, 6, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let end = record(0x000a, &[]);
    let stream = [begin, number(0, 0), number(65_535, 255), end].concat();
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    file.create_stream("/Workbook")
        .unwrap()
        .write_all(&stream)
        .unwrap();
    file.flush().unwrap();
    refused(&file.into_inner().into_inner(), "corners.xls");
}

#[test]
fn merged_cells_without_end_are_refused_or_cheap() {
    let rows = cells(&[&["'x", "'y"], &["1", "2"], &["", "3"]]);
    let book = |merged: &str| {
        with_part(
            "xl/worksheets/sheet1.xml",
            &format!(
                r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData><mergeCells>{merged}</mergeCells></worksheet>"#
            ),
        )
    };
    assert!(read(&book(r#"<mergeCell ref="A2:A1048576"/>"#), "long.xlsx").is_ok());
    let many = r#"<mergeCell ref="A2:XFD1048576"/>"#.repeat(10_000);
    let error = read(&book(&many), "many.xlsx").unwrap_err();
    assert!(error.to_string().contains("overlap"), "{error}");
    // One region over all columns, under a row as wide as a row can be.
    let mut rows = r#"<row r="1"><c r="A1" t="inlineStr"><is><t>x</t></is></c><c r="XFD1" t="inlineStr"><is><t>y</t></is></c></row><row r="2"><c r="A2"><v>1</v></c></row>"#.to_owned();
    for row in 3..2000 {
        rows += &format!(r#"<row r="{row}"><c r="A{row}"><v>1</v></c></row>"#);
    }
    let book = with_part(
        "xl/worksheets/sheet1.xml",
        &format!(
            r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData><mergeCells><mergeCell ref="A2:XFD1048576"/></mergeCells></worksheet>"#
        ),
    );
    let error = read(&book, "wide.xlsx").unwrap_err();
    assert!(error.to_string().contains("nearly all merged"), "{error}");
}
