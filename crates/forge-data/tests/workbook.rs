//! Small xlsx files, written part by part so that a test can plant what it wants.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use zip::write::SimpleFileOptions;

const SPREADSHEET: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const RELATIONSHIPS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// A workbook of these sheets, each the inside of its `sheetData`. Styles: 0 general, 1 date,
/// 2 elapsed time, 3 time of day, 4 date and time. `properties` goes into `workbookPr`.
pub(crate) fn workbook(sheets: &[(&str, &str)], properties: &str) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let mut part = |name: &str, text: &str| {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    };
    let (mut list, mut links) = (String::new(), String::new());
    for (i, (name, cells)) in sheets.iter().enumerate() {
        let id = i + 1;
        list += &format!(r#"<sheet name="{name}" sheetId="{id}" r:id="rId{id}"/>"#);
        links += &format!(
            r#"<Relationship Id="rId{id}" Type="{RELATIONSHIPS}/worksheet" Target="worksheets/sheet{id}.xml"/>"#
        );
        part(
            &format!("xl/worksheets/sheet{id}.xml"),
            &format!(
                r#"<worksheet xmlns="{SPREADSHEET}"><sheetData>{cells}</sheetData></worksheet>"#
            ),
        );
    }
    part(
        "xl/workbook.xml",
        &format!(
            r#"<workbook xmlns="{SPREADSHEET}" xmlns:r="{RELATIONSHIPS}"><workbookPr {properties}/><sheets>{list}</sheets></workbook>"#
        ),
    );
    part(
        "xl/_rels/workbook.xml.rels",
        &format!(
            r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId99" Type="{RELATIONSHIPS}/styles" Target="styles.xml"/>{links}</Relationships>"#
        ),
    );
    part(
        "_rels/.rels",
        &format!(
            r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="{RELATIONSHIPS}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
        ),
    );
    part(
        "xl/styles.xml",
        &format!(
            r#"<styleSheet xmlns="{SPREADSHEET}"><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="46"/><xf numFmtId="20"/><xf numFmtId="22"/></cellXfs></styleSheet>"#
        ),
    );
    zip.finish().unwrap().into_inner()
}

/// The rows of a sheet from cells such as `1.5` (number), `'text`, `=1+1|2` (formula and its
/// result), `=1+1|` (without), `#N/A`, `TRUE`, `@1:45184` (style and number) or nothing.
pub(crate) fn cells(rows: &[&[&str]]) -> String {
    let mut out = String::new();
    for (r, row) in rows.iter().enumerate() {
        out += &format!(r#"<row r="{}">"#, r + 1);
        for (c, cell) in row.iter().enumerate() {
            let at = format!(r#"r="{}{}""#, char::from(b'A' + c as u8), r + 1);
            out += &if cell.is_empty() {
                format!("<c {at}/>")
            } else if let Some(text) = cell.strip_prefix('\'') {
                format!(r#"<c {at} t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>"#)
            } else if let Some(formula) = cell.strip_prefix('=') {
                let (formula, value) = formula.split_once('|').unwrap();
                format!("<c {at}><f>{formula}</f><v>{value}</v></c>")
            } else if cell.starts_with('#') {
                format!(r#"<c {at} t="e"><v>{cell}</v></c>"#)
            } else if matches!(*cell, "TRUE" | "FALSE") {
                format!(r#"<c {at} t="b"><v>{}</v></c>"#, u8::from(*cell == "TRUE"))
            } else if let Some(styled) = cell.strip_prefix('@') {
                let (style, value) = styled.split_once(':').unwrap();
                format!(r#"<c {at} s="{style}"><v>{value}</v></c>"#)
            } else {
                format!("<c {at}><v>{cell}</v></c>")
            };
        }
        out += "</row>";
    }
    out
}

/// Writes bytes to a file that goes with its folder.
pub(crate) fn save(bytes: &[u8], name: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = Path::new(folder.path()).join(name);
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}
