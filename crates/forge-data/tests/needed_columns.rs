//! Only the columns that are needed are read, whatever the others hold.

use forge_data::{ColumnKind, ColumnRole, ReadOptions, read_csv_from, read_table};

use crate::cases::case;
use crate::dirty_csv::numbers;

/// What a model of strike, t and cp needs.
fn needed() -> ReadOptions {
    let (train, report) = read_table(case("extra_train.csv"), &ReadOptions::default()).unwrap();
    assert_eq!(train.n_columns(), 4);
    ReadOptions {
        hints: report.roles(),
        ..ReadOptions::default()
    }
    .with_only(["strike", "t", "cp"])
}

#[test]
fn what_other_columns_hold_is_no_error() {
    let (train, _) = read_table(case("extra_train.csv"), &ReadOptions::default()).unwrap();
    for name in ["extra_text.csv", "extra_inf.csv", "extra_duplicates.csv"] {
        let whole = read_table(case(name), &ReadOptions::default());
        assert!(whole.is_err(), "{name} is no case of this");
        let (table, report) = read_table(case(name), &needed()).unwrap();
        assert_eq!(table.n_columns(), 3, "{name}");
        assert_eq!(
            numbers(&table, "strike"),
            numbers(&train, "strike"),
            "{name}"
        );
        assert_eq!(
            report.columns().iter().filter(|c| c.kind.is_none()).count(),
            report.columns().len() - 3
        );
    }
}

#[test]
fn a_target_that_is_not_there_yet_may_be_left_unread() {
    let (table, _) = read_table(case("target_pending.csv"), &needed()).unwrap();
    assert_eq!(table.n_rows(), 240);
    let with_target = needed().with_only(["strike", "iv"]);
    let error = read_table(case("target_pending.csv"), &with_target).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("column 'iv': 'pending' is not a number"),
        "{error}"
    );
}

#[test]
fn a_needed_name_that_is_there_twice_is_still_refused() {
    let text = "x,x,y\n1,2,3\n";
    let options = ReadOptions::default().with_only(["y"]);
    assert!(read_csv_from(text.as_bytes(), &options).is_ok());
    let options = ReadOptions::default().with_only(["x"]);
    let error = read_csv_from(text.as_bytes(), &options).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("columns 1 and 2 have the same name"),
        "{error}"
    );
}

#[test]
fn ignored_columns_are_not_looked_at() {
    let text = "x,note,note,y\n1,a,inf,3\n2,2,1,4\n3,4,1e999,5\n";
    let refused = read_csv_from(text.as_bytes(), &ReadOptions::default()).unwrap_err();
    assert!(refused.to_string().contains("same name"), "{refused}");
    let options = ReadOptions::default().with_column("note", ColumnRole::Ignore);
    let (table, _) = read_csv_from(text.as_bytes(), &options).unwrap();
    assert_eq!(
        (table.n_columns(), numbers(&table, "y")),
        (2, vec![3.0, 4.0, 5.0])
    );
}

#[test]
fn nothing_needed_is_an_error_that_says_so() {
    let options = ReadOptions::default().with_only(["absent"]);
    let error = read_csv_from("x,y\n1,2\n".as_bytes(), &options).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("none of the columns that are needed"),
        "{error}"
    );
    // Declarations about columns that this file lacks are for another file.
    let options = ReadOptions::default()
        .with_column("z", ColumnRole::Numeric)
        .with_only(["x", "z"]);
    let (table, _) = read_csv_from("x,y\n1,a\n".as_bytes(), &options).unwrap();
    assert_eq!(table.columns()[0].kind(), ColumnKind::Numeric);
}

#[test]
fn options_keep_what_is_needed_in_files() {
    let options = needed();
    let json = serde_json::to_string(&options).unwrap();
    assert_eq!(serde_json::from_str::<ReadOptions>(&json).unwrap(), options);
    let older = r#"{"columns": {"cp": "categorical"}}"#;
    assert_eq!(
        serde_json::from_str::<ReadOptions>(older).unwrap().only,
        None
    );
}

#[cfg(feature = "excel")]
#[test]
fn sheets_are_read_alike() {
    use crate::workbook::{cells, save, workbook};
    let rows: &[&[&str]] = &[
        &["'x", "'note", "'note", "'y"],
        &["1", "'see", "#N/A", "2"],
        &["3", "4", "TRUE", "4"],
        &["5", "6", "7", "6"],
    ];
    let (_folder, path) = save(&workbook(&[("s", &cells(rows))], ""), "extra.xlsx");
    let (table, _) = read_table(&path, &ReadOptions::default().with_only(["x", "y"])).unwrap();
    assert_eq!(
        (table.n_columns(), numbers(&table, "x")),
        (2, vec![1.0, 3.0, 5.0])
    );
}
