//! A file that was read, written again as it is there, with columns beside it.

mod beside;
mod csv;
#[cfg(feature = "parquet")]
mod parquet_copy;
#[cfg(feature = "parquet")]
mod parquet_rows;
mod row_numbers;
#[cfg(feature = "excel")]
mod sheet;
mod text_rows;

use std::path::Path;

pub(crate) use row_numbers::RowNumbers;

use super::options::ReadOptions;
use super::report::{Layout, ReadReport};
use crate::output::write_to;
use crate::table::FileKind;
use crate::{Column, DataError};
use beside::Beside;
use text_rows::TextRows;

/// A file that was read, to be written again with columns beside what it has: every cell as it is
/// written there, in the order that it has there, whether or not it was read.
///
/// Of CSV, each record is copied byte by byte. Of a sheet, numbers are the shortest text that reads
/// back to the same, dates ISO 8601; of Parquet, columns are copied as they are stored.
///
/// ```no_run
/// use forge_data::{Column, Passage, ReadOptions, read_table};
///
/// let options = ReadOptions::default();
/// let (table, report) = read_table("chain.csv", &options)?;
/// let rank = Column::numeric("rank", (0..table.n_rows()).map(|i| i as f64).collect());
/// Passage::of(&report, &options)?.write("ranked.csv", &[rank])?;
/// # Ok::<(), forge_data::DataError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Passage<'a> {
    path: &'a Path,
    report: &'a ReadReport,
    options: &'a ReadOptions,
}

impl<'a> Passage<'a> {
    /// The file of a report, and the options that it was read with.
    ///
    /// # Errors
    /// A config error for what is no file, such as a pipe: it cannot be read again.
    pub fn of(report: &'a ReadReport, options: &'a ReadOptions) -> Result<Self, DataError> {
        let path = report.path.as_deref().unwrap_or(Path::new(""));
        Self::check(path)?;
        Ok(Self {
            path,
            report,
            options,
        })
    }

    /// Refuses what is no file before it is read.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn check(path: &Path) -> Result<(), DataError> {
        match path.is_file() {
            true => Ok(()),
            false => Err(DataError::config(
                "what was read is no file and cannot be read again, to be written beside new \
                 columns: write these alone",
            )),
        }
    }

    /// Writes file and columns to `to`, as CSV or Parquet by its ending. Rows that are not in the
    /// table, such as totals at the end, get empty cells.
    ///
    /// # Errors
    /// - unsupported: the ending is neither CSV's nor Parquet's, or does not suit the file
    /// - schema: a column has another length than the table, or a name that the file has
    /// - parse: the file is not the one that was read
    /// - I/O
    pub fn write(&self, to: impl AsRef<Path>, columns: &[Column]) -> Result<(), DataError> {
        let beside = Beside::all(columns, self.report).map_err(|e| e.at_path(self.path))?;
        self.write_rows(to.as_ref(), &beside)
    }

    /// Writes some rows of the table (0-based) as the file has them, in its order, and all that is
    /// around the table there, so that the same options read it.
    ///
    /// # Errors
    /// As [`write`](Self::write); a config error for a row that is not in the table.
    pub fn write_sample(&self, to: impl AsRef<Path>, rows: &[usize]) -> Result<(), DataError> {
        self.write_rows(to.as_ref(), &Beside::chosen(rows, self.report)?)
    }

    fn write_rows(&self, to: &Path, beside: &Beside<'_>) -> Result<(), DataError> {
        let kind = FileKind::of(to)?;
        match (&self.report.layout, kind) {
            (Layout::Csv { .. }, FileKind::Csv { delimiter }) => {
                let source = csv::CsvText::of(self)?;
                source.check_delimiter(delimiter, to)?;
                write_to(to, |out| source.copy(beside, out))
            }
            #[cfg(feature = "parquet")]
            (Layout::Parquet { .. }, FileKind::Parquet) if beside.is_whole() => {
                write_to(to, |out| parquet_copy::copy(self.path, beside, out))
            }
            (_, FileKind::Csv { delimiter }) => write_to(to, |out| {
                text_rows::write_csv(self.texts()?, beside, delimiter, out)
            }),
            (_, FileKind::Parquet) => write_to(to, |out| {
                text_rows::write_parquet(self.texts()?, beside, out)
            }),
        }
        .map_err(|error| match error.is_io() {
            true => error,
            false => error.at_path(self.path),
        })
    }

    /// The file as rows of texts.
    fn texts(&self) -> Result<Box<dyn TextRows + '_>, DataError> {
        match &self.report.layout {
            Layout::Csv { .. } => Ok(Box::new(csv::CsvText::of(self)?)),
            #[cfg(feature = "excel")]
            Layout::Excel { sheet, .. } => {
                Ok(Box::new(sheet::SheetText::open(self, sheet.clone())?))
            }
            #[cfg(feature = "parquet")]
            Layout::Parquet { .. } => Ok(Box::new(parquet_rows::ParquetText { path: self.path })),
            #[cfg(not(all(feature = "excel", feature = "parquet")))]
            _ => Err(DataError::unsupported(
                "the reader of this file is not compiled in",
            )),
        }
    }
}
