//! Tables that come through a named pipe, and settings that would never end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use forge_data::{ReadOptions, Table, TableFormat, read_csv_from, read_table};

/// A pipe of this name into which `bytes` are written by a thread.
fn pipe(folder: &Path, name: &str, bytes: Vec<u8>) -> PathBuf {
    let pipe = folder.join(name);
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let path = pipe.clone();
    std::thread::spawn(move || fs::write(path, bytes));
    pipe
}

/// Reads in a thread, so that waiting for ever is a failure and not a test that never ends.
fn read(path: &Path, options: ReadOptions) -> Result<Table, String> {
    let (done, wait) = std::sync::mpsc::channel();
    let path = path.to_path_buf();
    std::thread::spawn(move || {
        let table = read_table(path, &options);
        done.send(table.map(|(table, _)| table).map_err(|e| e.to_string()))
    });
    wait.recv_timeout(Duration::from_secs(20)).unwrap()
}

fn table() -> Table {
    Table::from_numeric(["x", "y"], &[1.0, 2.0, 3.0, 4.5]).unwrap()
}

#[test]
fn csv_comes_through_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = Vec::new();
    table().write_csv_to(&mut text).unwrap();
    let named = pipe(folder.path(), "table.csv", text.clone());
    assert_eq!(read(&named, ReadOptions::default()).unwrap(), table());
    // As a shell's `<(…)` is: without an ending.
    let unnamed = pipe(folder.path(), "63", text);
    let error = read(&unnamed, ReadOptions::default()).unwrap_err();
    assert!(error.contains("format"), "{error}");
    let options = ReadOptions {
        format: Some(TableFormat::Csv),
        ..ReadOptions::default()
    };
    assert_eq!(read(&unnamed, options).unwrap(), table());
}

#[test]
fn errors_about_a_pipe_name_the_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let ragged = b"x,y\n1,2\n3\n".to_vec();
    let pipe = pipe(folder.path(), "table.csv", ragged);
    let error = read(&pipe, ReadOptions::default()).unwrap_err();
    assert!(error.contains("table.csv: row 3"), "{error}");
}

#[cfg(feature = "excel")]
#[test]
fn a_workbook_comes_through_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dirty/shared_strings.xlsx");
    let (plain, _) = read_table(&book, &ReadOptions::default()).unwrap();
    let pipe = pipe(folder.path(), "table.xlsx", fs::read(book).unwrap());
    assert_eq!(read(&pipe, ReadOptions::default()).unwrap(), plain);
}

#[test]
fn skipping_more_rows_than_there_are_ends() {
    let options = |skip_rows| ReadOptions {
        skip_rows,
        ..ReadOptions::default()
    };
    let text = b"a\nb\nx,y\n1,2\n";
    for rows in [5, 1 << 63, u64::MAX] {
        let error = read_csv_from(&text[..], &options(rows)).unwrap_err();
        assert!(error.is_config(), "{error}");
        assert!(error.to_string().contains("only 4 rows"), "{error}");
    }
    let with_mark = b"sep=;\na\nx;y\n1;2\n";
    let error = read_csv_from(&with_mark[..], &options(9)).unwrap_err();
    assert!(error.to_string().contains("only 3 rows"), "{error}");
    let (table, _) = read_csv_from(&with_mark[..], &options(1)).unwrap();
    assert_eq!(table.n_rows(), 1);
}
