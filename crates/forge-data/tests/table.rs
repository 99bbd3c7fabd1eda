//! Tables made and taken apart without any file.

use forge_data::{Categorical, Column, ColumnValues, Table};

fn sample() -> Table {
    Table::new(vec![
        Column::numeric("strike", vec![4450.0, f64::NAN, 4500.5]),
        Column::categorical("type", [Some("P"), None, Some("C")]),
        Column::date_time("day", vec![0, Column::MISSING_TIME, 86_400_000]),
    ])
    .unwrap()
}

#[test]
fn arrays_become_columns() {
    let table = Table::from_numeric(["x", "y", "z"], &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.5]).unwrap();
    assert_eq!((table.n_rows(), table.n_columns()), (2, 3));
    assert_eq!(
        table.column("z").unwrap().values,
        ColumnValues::Numeric(vec![3.0, 6.5])
    );
    let e = Table::from_numeric(["x", "y"], &[1.0f64, 2.0, 3.0]).unwrap_err();
    assert_eq!(e.to_string(), "3 values do not fill rows of 2 columns");
    assert!(
        Table::from_numeric(Vec::<String>::new(), &[1.0f64])
            .unwrap_err()
            .is_schema()
    );
    assert!(
        Table::from_numeric(["x", "x"], &[1.0f64, 2.0])
            .unwrap_err()
            .is_schema()
    );
}

#[test]
fn rows_are_selected_in_order() {
    let part = sample().select_rows(&[2, 0, 2]).unwrap();
    assert_eq!(
        part.column("strike").unwrap().values,
        ColumnValues::Numeric(vec![4500.5, 4450.0, 4500.5])
    );
    assert_eq!(
        part.column("type").unwrap().values,
        ColumnValues::Categorical(Categorical {
            codes: vec![1, 0, 1],
            categories: vec!["P".into(), "C".into()],
        })
    );
    let e = sample().select_rows(&[0, 3]).unwrap_err();
    assert!(e.is_config() && e.to_string().contains("index 3"), "{e}");
    assert_eq!(sample().head(2).n_rows(), 2);
    assert_eq!(sample().head(9).n_rows(), 3);
}

#[test]
fn columns_are_selected_dropped_and_added() {
    let table = sample().drop_columns(&["day"]).unwrap();
    assert_eq!(table.n_columns(), 2);
    let e = sample().drop_columns(&["dya"]).unwrap_err();
    assert_eq!(
        e.to_string(),
        "column 'dya': not in the table; it has strike, type, day"
    );
    let table = table
        .with_column(Column::numeric("iv", vec![0.1, 0.2, 0.3]))
        .unwrap();
    assert_eq!(table.column_index("iv").unwrap(), 2);
    assert!(
        table
            .clone()
            .with_column(Column::numeric("iv", vec![0.0; 3]))
            .unwrap_err()
            .is_schema()
    );
    assert!(
        table
            .with_column(Column::numeric("x", vec![0.0; 2]))
            .unwrap_err()
            .is_schema()
    );
    let table = sample().select_columns(&["day", "strike"]).unwrap();
    assert_eq!(table.columns()[1].name, "strike");
    assert!(
        sample()
            .select_columns(&["day", "day"])
            .unwrap_err()
            .is_schema()
    );
}

#[test]
fn a_table_shows_itself() {
    assert_eq!(
        sample().to_string(),
        "3 rows x 3 columns\n  \
         strike  numeric      1 missing  [4450, missing, 4500.5]\n  \
         type    categorical  1 missing  2 labels  [\"P\", missing, \"C\"]\n  \
         day     datetime     1 missing  [1970-01-01, missing, 1970-01-02]"
    );
}

#[test]
fn a_written_file_is_whole_and_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.csv");
    std::fs::write(&path, "old").unwrap();
    sample().write_csv(&path).unwrap();
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        "strike,type,day\n4450,P,1970-01-01\nNA,NA,NA\n4500.5,C,1970-01-02\n"
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let bad = Table::new(vec![Column::date_time("t", vec![0, i64::MAX])]).unwrap();
    let e = bad.write_csv(&path).unwrap_err();
    assert!(
        e.is_value() && e.to_string().contains("row 3: column 't'"),
        "{e}"
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert!(
        std::fs::read_to_string(&path)
            .unwrap()
            .starts_with("strike")
    );
    let e = sample()
        .write_csv(folder.path().join("no/out.csv"))
        .unwrap_err();
    assert!(e.is_io(), "{e}");
    assert!(Table::default().write_csv(&path).unwrap_err().is_schema());
}
