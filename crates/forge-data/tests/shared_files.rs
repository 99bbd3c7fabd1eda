//! Files that cannot be part of the repository: looked up in `FORGE_SHARED`, or in `../shared`
//! beside the workspace, and passed over loudly where they are absent.

#![allow(clippy::print_stderr)]

use std::path::{Path, PathBuf};

use forge_data::{FindingKind, ReadOptions, read_table};

pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let folder = std::env::var_os("FORGE_SHARED").map_or_else(beside, PathBuf::from);
    let path = folder.join("data").join(name);
    if !path.exists() {
        eprintln!("SKIPPED: {name} is not there; set FORGE_SHARED to the folder that has data/");
        return None;
    }
    Some(path)
}

#[test]
fn clean_files_are_read_without_findings() {
    for (name, rows, columns) in [
        ("spx_options.csv", 7965, 11),
        ("spx_options_2025.csv", 976, 11),
        ("sp500.csv", 5031, 6),
        ("ETTh1.csv", 17_420, 8),
        ("uci/concrete/data.csv", 1030, 9),
        ("uci/energy/data.csv", 768, 9),
        ("uci/yacht/data.csv", 308, 7),
        ("uci/wine-quality-red/data.csv", 1599, 12),
        ("uci/power-plant/data.csv", 9568, 5),
        ("uci/kin8nm/data.csv", 8192, 9),
    ] {
        let Some(path) = shared(name) else { return };
        let (table, report) = read_table(&path, &ReadOptions::default()).unwrap();
        assert_eq!(
            (table.n_rows(), table.n_columns()),
            (rows, columns),
            "{report}"
        );
        assert!(report.findings().is_empty(), "{report}");
    }
}

#[test]
fn days_without_a_quote_are_missing() {
    let Some(path) = shared("vix.csv") else {
        return;
    };
    let (table, report) = read_table(&path, &ReadOptions::default()).unwrap();
    assert_eq!(table.n_rows(), 1305);
    // The source writes '.' on holidays.
    let finding = report
        .finding(FindingKind::MissingText, Some("close"))
        .unwrap();
    assert_eq!((finding.example.as_str(), finding.count), (".", 46));
    assert_eq!(report.findings().len(), 1, "{report}");
}

#[cfg(feature = "excel")]
mod excel {
    use forge_data::{ColumnValues, DuplicateNames, FindingKind, ReadOptions, read_table};

    use super::shared;
    use crate::dirty_csv::{labels, numbers};

    #[test]
    fn a_workbook_equals_its_csv_file() {
        let (Some(sheet), Some(text)) = (shared("spx_options.xlsx"), shared("spx_options.csv"))
        else {
            return;
        };
        let (sheet, report) = read_table(sheet, &ReadOptions::default()).unwrap();
        let (text, _) = read_table(text, &ReadOptions::default()).unwrap();
        assert!(report.findings().is_empty(), "{report}");
        assert!(report.to_string().contains("not read: 'notes'"), "{report}");
        assert_eq!((sheet.n_rows(), sheet.n_columns()), (7965, 11));
        for (a, b) in sheet.columns().iter().zip(text.columns()) {
            assert_eq!(a.name, b.name);
            match (&a.values, &b.values) {
                (ColumnValues::Numeric(x), ColumnValues::Numeric(y)) => {
                    for (x, y) in x.iter().zip(y) {
                        assert!((x - y).abs() <= 1e-15 * y.abs(), "{}: {x} {y}", a.name);
                    }
                }
                (x, y) => assert_eq!(x, y),
            }
        }
    }

    #[test]
    fn planted_problems_are_refused_or_repaired_by_cell() {
        let Some(path) = shared("spx_options_dirty.xlsx") else {
            return;
        };
        let e = read_table(&path, &ReadOptions::default()).unwrap_err();
        assert!(e.is_schema());
        assert!(
            e.to_string().contains(
                "spx_options_dirty.xlsx: row 1: column 'bid': columns 2 and 4 have the same name"
            ),
            "{e}"
        );
        let options = ReadOptions {
            duplicate_names: DuplicateNames::Rename,
            ..ReadOptions::default()
        };
        let (table, report) = read_table(&path, &options).unwrap();
        assert_eq!((table.n_rows(), table.n_columns()), (242, 12));
        let rows = |kind, column: &str| report.finding(kind, Some(column)).unwrap().rows.clone();
        assert_eq!(rows(FindingKind::Renamed, "bid"), [1]);
        assert_eq!(rows(FindingKind::MissingText, "ask"), [12]);
        assert_eq!(rows(FindingKind::MissingText, "discount"), [140]);
        assert_eq!(rows(FindingKind::NumberAsText, "strike"), [60]);
        assert_eq!(rows(FindingKind::FormulaWithoutResult, "mid"), [90]);
        let trailing = report.finding(FindingKind::TrailingRows, None).unwrap();
        assert_eq!((trailing.rows.as_slice(), trailing.count), (&[244][..], 1));
        assert_eq!(report.findings().len(), 6, "{report}");

        let (bid, renamed) = (numbers(&table, "bid"), numbers(&table, "bid.1"));
        assert!((0..242).all(|i| i == 5 || (renamed[i] - bid[i] - 0.05).abs() < 1e-9));
        let missing = |name: &str| -> Vec<usize> {
            let values = numbers(&table, name);
            (0..242).filter(|&i| values[i].is_nan()).collect()
        };
        assert_eq!(missing("bid"), [5]);
        assert_eq!(missing("ask"), [10]);
        assert_eq!(missing("forward"), [29]);
        assert_eq!(missing("discount"), [138]);
        assert_eq!(missing("mid"), [88]);
        assert_eq!(missing("implied_vol"), [56]);
        assert_eq!(missing("strike"), Vec::<usize>::new());
        assert_eq!(numbers(&table, "strike")[58], 4500.0);
        let types = labels(&table, "option_type");
        assert_eq!(types[72], None);
        let unseen: Vec<usize> = (0..242)
            .filter(|&i| types[i].as_deref() == Some("X"))
            .collect();
        assert_eq!(unseen, [236, 239]);
    }
}
