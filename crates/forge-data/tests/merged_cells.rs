//! Merged cells of a sheet: filled as the sheet shows them, left, or refused.

use std::io::{Cursor, Write};

use forge_data::{FindingKind, MergedCells, ReadOptions, read_table};
use zip::write::SimpleFileOptions;

use crate::cases::case;
use crate::dirty_csv::numbers;
use crate::workbook::save;

fn with(merged_cells: MergedCells) -> ReadOptions {
    ReadOptions {
        merged_cells,
        ..ReadOptions::default()
    }
}

#[test]
fn cells_under_a_merged_one_have_its_value() {
    let path = case("merged_cells.xlsx");
    let (table, report) = read_table(&path, &ReadOptions::default()).unwrap();
    let expected: Vec<f64> = [7.0, 14.0, 30.0, 60.0, 90.0, 180.0]
        .iter()
        .flat_map(|tenor| [*tenor; 20])
        .collect();
    assert_eq!(numbers(&table, "tenor"), expected);
    let finding = report.finding(FindingKind::MergedCells, None).unwrap();
    assert_eq!((finding.count, finding.example.as_str()), (114, "A2:A21"));
    let (table, _) = read_table(&path, &with(MergedCells::Missing)).unwrap();
    assert_eq!(
        numbers(&table, "tenor")
            .iter()
            .filter(|v| v.is_nan())
            .count(),
        114
    );
    let error = read_table(&path, &with(MergedCells::Refuse))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("row 2: the cells A2:A21 are merged") && error.contains("`merged_cells`"),
        "{error}"
    );
}

#[test]
fn a_header_of_two_rows_is_joined_or_asked_about() {
    let path = case("two_row_header.xlsx");
    let error = read_table(&path, &ReadOptions::default())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("row 1: the header's cells A1:C1 are merged ('CALLS')")
            && error.contains("`header_rows`")
            && error.contains("`skip_rows` to 1"),
        "{error}"
    );
    let options = ReadOptions {
        header_rows: 2,
        ..ReadOptions::default()
    };
    let (table, _) = read_table(&path, &options).unwrap();
    let names: Vec<&str> = table.columns().iter().map(|c| c.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "CALLS strike",
            "CALLS bid",
            "CALLS ask",
            "PUTS bid",
            "PUTS ask",
            "PUTS iv"
        ]
    );
    assert_eq!(table.n_rows(), 120);
    assert_eq!(numbers(&table, "PUTS iv")[0], 0.1893);
}

#[test]
fn merged_cells_of_opendocument_are_filled() {
    let content = r#"<?xml version="1.0"?><office:document-content
 xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet><table:table table:name="s">
<table:table-row><table:table-cell office:value-type="string"><text:p>tenor</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p>iv</text:p></table:table-cell></table:table-row>
<table:table-row><table:table-cell office:value-type="float" office:value="7" table:number-rows-spanned="2" table:number-columns-spanned="1"/><table:table-cell office:value-type="float" office:value="0.5"/></table:table-row>
<table:table-row><table:covered-table-cell/><table:table-cell office:value-type="float" office:value="0.25"/></table:table-row>
<table:table-row><table:table-cell office:value-type="float" office:value="14"/><table:table-cell office:value-type="float" office:value="0.125"/></table:table-row>
</table:table></office:spreadsheet></office:body></office:document-content>"#
        .replace(">\n<", "><");
    let (_folder, path) = save(&ods(&content), "merged.ods");
    let (table, report) = read_table(&path, &ReadOptions::default()).unwrap();
    assert_eq!(numbers(&table, "tenor"), [7.0, 7.0, 14.0]);
    let finding = report.finding(FindingKind::MergedCells, None).unwrap();
    assert_eq!(
        (finding.count, finding.rows[0], finding.example.as_str()),
        (1, 3, "A2:A3")
    );
}

/// An OpenDocument sheet around a `content.xml`.
pub(crate) fn ods(content: &str) -> Vec<u8> {
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
}
