//! A data frame's index that was saved as a column is left out, and said.

use forge_data::{FindingKind, ReadOptions, SavedIndex, read_csv_from, read_table};

use crate::cases::case;

fn keep() -> ReadOptions {
    ReadOptions {
        saved_index: SavedIndex::Keep,
        ..ReadOptions::default()
    }
}

fn names(table: &forge_data::Table) -> Vec<&str> {
    table.columns().iter().map(|c| c.name.as_str()).collect()
}

#[test]
fn a_first_column_that_counts_rows_is_left_out() {
    let path = case("saved_index.csv");
    let (table, report) = read_table(&path, &ReadOptions::default()).unwrap();
    assert_eq!(names(&table), ["strike", "t", "cp", "iv"]);
    assert!(
        report
            .finding(FindingKind::SavedIndex, Some("c0"))
            .is_some()
    );
    assert!(
        report.finding(FindingKind::Unnamed, Some("c0")).is_none(),
        "{report}"
    );
    assert!(
        report
            .to_string()
            .contains("saved index left out (option `saved_index`)"),
        "{report}"
    );
    assert_eq!(
        (report.columns()[0].name.as_str(), report.columns()[0].kind),
        ("c0", None)
    );
    let (table, _) = read_table(&path, &keep()).unwrap();
    assert_eq!(names(&table)[0], "c0");
    // Whoever asks for it gets it.
    let mut asked = ReadOptions::default();
    asked.keep.insert("c0".into());
    assert_eq!(read_table(&path, &asked).unwrap().0.n_columns(), 5);
}

#[test]
fn numbers_that_count_nothing_stay() {
    let read = |text: &str| read_csv_from(text.as_bytes(), &ReadOptions::default()).unwrap();
    // Strikes under an empty corner.
    let grid: String = (0..30)
        .map(|i| format!("{},0.2\n", 3000 + 25 * i))
        .collect();
    assert_eq!(read(&format!(",iv\n{grid}")).0.n_columns(), 2);
    // A named column that counts is only spoken of.
    let days: String = (0..30).map(|i| format!("{i},0.2\n")).collect();
    let (table, report) = read(&format!("day,iv\n{days}"));
    assert_eq!(table.n_columns(), 2);
    assert!(
        report
            .finding(FindingKind::CountsRows, Some("day"))
            .is_some()
    );
    // One by a usual name is left out.
    let (table, report) = read(&format!("Id,iv\n{days}"));
    assert_eq!(names(&table), ["iv"]);
    assert!(
        report
            .finding(FindingKind::SavedIndex, Some("Id"))
            .is_some()
    );
}

#[cfg(feature = "parquet")]
#[test]
fn the_footers_index_is_left_out() {
    let path = case("pandas_index.parquet");
    let (table, report) = read_table(&path, &ReadOptions::default()).unwrap();
    assert_eq!(names(&table), ["strike", "t", "cp", "iv"]);
    assert!(
        report
            .finding(FindingKind::SavedIndex, Some("__index_level_0__"))
            .is_some()
    );
    assert_eq!(read_table(&path, &keep()).unwrap().0.n_columns(), 5);
    let only = ReadOptions::default().with_only(["__index_level_0__"]);
    assert_eq!(read_table(&path, &only).unwrap().0.n_columns(), 1);
}

#[cfg(feature = "excel")]
#[test]
fn a_sheets_index_is_left_out() {
    use crate::workbook::{cells, save, workbook};
    let rows: &[&[&str]] = &[&["", "'x"], &["0", "5.5"], &["1", "6.5"], &["2", "7.5"]];
    let (_folder, path) = save(&workbook(&[("s", &cells(rows))], ""), "index.xlsx");
    let (table, report) = read_table(&path, &ReadOptions::default()).unwrap();
    assert_eq!(names(&table), ["x"], "{report}");
}
