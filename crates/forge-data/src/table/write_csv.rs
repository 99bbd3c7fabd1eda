//! A table as a CSV file.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Column, ColumnValues, Table};
use crate::DataError;
use crate::schema::{date_time, number};

impl Table {
    /// Writes the table as CSV: UTF-8, comma, LF, one header line.
    ///
    /// Numbers are the shortest text that reads back to the same f64, times are ISO 8601 in
    /// UTC, a missing cell is empty. A row in which every cell is missing is written as `NA`s,
    /// since a reader takes empty rows at the end of a file for padding. Labels are written as
    /// they are: one that looks like a number or like a missing value is read back as such
    /// unless the reader is told that the column is categorical.
    ///
    /// The file appears whole or not at all: it is written beside `path` and renamed.
    ///
    /// # Errors
    /// An I/O error; a value error naming row and column for a time outside the years 0 to
    /// 9999; a schema error for a table without columns.
    pub fn write_csv(&self, path: impl AsRef<Path>) -> Result<(), DataError> {
        let path = path.as_ref();
        let temporary = beside(path);
        let written = File::create_new(&temporary)
            .map_err(|e| DataError::io(path, e))
            .and_then(|file| {
                let mut file = BufWriter::new(file);
                self.write_csv_to(&mut file).map_err(|e| e.at_path(path))?;
                let file = file.into_inner().map_err(|e| e.into_error());
                file.and_then(|file| file.sync_all())
                    .and_then(|()| fs::rename(&temporary, path))
                    .map_err(|e| DataError::io(path, e))
            });
        if written.is_err() {
            // The first error is the one worth telling; a leftover file is not.
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    /// Writes the table as CSV, in the form of [`Table::write_csv`].
    ///
    /// # Errors
    /// As [`Table::write_csv`], without the file's name.
    pub fn write_csv_to(&self, writer: impl Write) -> Result<(), DataError> {
        if self.columns.is_empty() {
            return Err(DataError::schema("a table without columns has no CSV form"));
        }
        let mut writer = csv::Writer::from_writer(writer);
        let failed = |e: csv::Error| DataError::parse(format!("cannot write CSV: {e}"));
        let names = self.columns.iter().map(|c| c.name.as_bytes());
        writer.write_record(names).map_err(failed)?;
        let whole_days: Vec<bool> = self.columns.iter().map(is_whole_days).collect();
        let mut text = String::new();
        for row in 0..self.rows {
            let blank = self.columns.iter().all(|column| column.is_missing(row));
            for (column, whole_days) in self.columns.iter().zip(&whole_days) {
                text.clear();
                if blank {
                    text.push_str("NA");
                } else {
                    format_cell(column, row, *whole_days, &mut text)?;
                }
                writer.write_field(&text).map_err(failed)?;
            }
            writer.write_record(None::<&[u8]>).map_err(failed)?;
        }
        writer
            .flush()
            .map_err(|e| DataError::parse(format!("cannot write CSV: {e}")))
    }
}

/// A name in the same folder that no other call of this process or another uses.
fn beside(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    name.push(format!(".{}-{count}.part", std::process::id()));
    path.with_file_name(name)
}

fn is_whole_days(column: &Column) -> bool {
    match &column.values {
        ColumnValues::DateTime(v) => v
            .iter()
            .all(|&t| t == Column::MISSING_TIME || t % date_time::DAY == 0),
        _ => false,
    }
}

fn format_cell(
    column: &Column,
    row: usize,
    whole_days: bool,
    text: &mut String,
) -> Result<(), DataError> {
    if column.is_missing(row) {
        return Ok(());
    }
    match &column.values {
        ColumnValues::Numeric(v) => text.push_str(&number::format(v[row])),
        ColumnValues::Categorical(c) => text.push_str(c.label(row).unwrap_or_default()),
        ColumnValues::DateTime(v) => {
            let formatted = if whole_days {
                date_time::format_date(v[row])
            } else {
                date_time::format(v[row])
            };
            let Some(formatted) = formatted else {
                return Err(DataError::value(format!(
                    "{} ms since 1970 is outside the years 0 to 9999",
                    v[row]
                ))
                .at_row(row as u64 + 2)
                .at_column(&column.name));
            };
            text.push_str(&formatted);
        }
    }
    Ok(())
}
