//! How a file is to be read.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::report::{Layout, ReadReport};
use crate::DataError;
use crate::schema::{ColumnRole, Decimal};
use crate::table::Table;

/// How a file is to be read. The default reads what is usual and refuses what is doubtful.
///
/// As TOML or JSON, unknown keys are refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReadOptions {
    /// The type of the file. Default: by its extension (`csv`, `tsv`, `txt`, `parquet`, `pq`,
    /// `xlsx`, `xlsm`, `xls`, `ods`).
    pub format: Option<TableFormat>,
    /// CSV: what stands between fields, one ASCII character. Default: the one of comma,
    /// semicolon, tab and pipe that divides the first lines evenly; the report states it.
    pub delimiter: Option<char>,
    /// CSV and texts in Excel: the decimal mark. Default: a point, except for a CSV file that is
    /// not divided by commas and whose cells are numbers only with a decimal comma; the report
    /// states it.
    pub decimal: Option<Decimal>,
    /// The decimal mark where neither `decimal` nor any cell says which it is, such as that of an
    /// earlier file. Default: a point, which the report states.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assumed_decimal: Option<Decimal>,
    /// CSV and Excel: whether the first row holds names. Default: it must, and a first row with
    /// a number or a date in it is refused; `true` takes such names as they are. With `false`
    /// the columns are called `c0`, `c1`, and so on.
    pub has_header: Option<bool>,
    /// Rows to pass over before the header: records of CSV, rows of a sheet.
    pub skip_rows: u64,
    /// CSV and Excel: rows that make up the header, 1 to 100. Of several, a column's name is what
    /// its cells say from top to bottom, joined by spaces; merged cells of a sheet count for all
    /// columns that they cover. Default: 1.
    pub header_rows: u64,
    /// CSV and Excel: rows to pass over between the header and the data, such as a row of units.
    pub skip_after_header: u64,
    /// CSV and Excel: rows to pass over at the end, such as a note or a row of totals. Blank rows
    /// at the end do not count. They may have any number of fields.
    pub skip_footer: u64,
    /// What columns are declared to be, by name. Naming a column that is not in the file is an
    /// error.
    pub columns: BTreeMap<String, ColumnRole>,
    /// The same for columns that may be absent, such as the target in a file to predict; see
    /// [`ReadOptions::like`]. `columns` has precedence.
    pub hints: BTreeMap<String, ColumnRole>,
    /// The columns that are needed; the others are not read, whatever they hold. One that the
    /// file lacks is no error here, nor is one in `columns`. Default: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only: Option<BTreeSet<String>>,
    /// Columns that are not taken for a saved index, as those in `only` and those declared.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub keep: BTreeSet<String>,
    /// What becomes of a data frame's index that was saved as a column. Default: left out.
    pub saved_index: SavedIndex,
    /// Texts that stand for a missing value besides the usual ones, such as `-999`.
    pub missing_values: Vec<String>,
    /// Whether the usual texts for a missing value are read as such: `nan`, `na`, `n/a`, `null`,
    /// `none`, `nat`, `-nan`, `#n/a`, `<na>` in any case, `-`, `.` and `?`. Default: true. An empty
    /// cell is always missing.
    pub default_missing_values: bool,
    /// What becomes of infinities and of numbers too large for an f64. Default: refused.
    pub infinite: Infinite,
    /// What becomes of a name that several columns have. Default: refused.
    pub duplicate_names: DuplicateNames,
    /// Excel: the name of the sheet. Default: the first.
    pub sheet: Option<String>,
    /// Excel: what becomes of the cells that a merged one covers. Default: they have its value.
    pub merged_cells: MergedCells,
    /// Excel: the bytes that the file may take when unpacked; its texts, styles and cells count
    /// as much as memory holds them. Default: 512 MiB.
    pub max_unpacked_bytes: u64,
    /// The cells that the table may have, 8 bytes each. Default: 1,000,000,000.
    pub max_cells: u64,
    /// Read no more than this many rows. Default: all.
    pub max_rows: Option<u64>,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            format: None,
            delimiter: None,
            decimal: None,
            assumed_decimal: None,
            has_header: None,
            skip_rows: 0,
            header_rows: 1,
            skip_after_header: 0,
            skip_footer: 0,
            columns: BTreeMap::new(),
            hints: BTreeMap::new(),
            only: None,
            keep: BTreeSet::new(),
            saved_index: SavedIndex::default(),
            missing_values: Vec::new(),
            default_missing_values: true,
            infinite: Infinite::Refuse,
            duplicate_names: DuplicateNames::Refuse,
            sheet: None,
            merged_cells: MergedCells::default(),
            max_unpacked_bytes: 512 << 20,
            max_cells: 1_000_000_000,
            max_rows: None,
        }
    }
}

impl ReadOptions {
    /// Declares what a column is.
    ///
    /// ```
    /// use forge_data::{ColumnRole, ReadOptions};
    /// let options = ReadOptions::default()
    ///     .with_column("isin", ColumnRole::Categorical)
    ///     .with_column("comment", ColumnRole::Ignore);
    /// # assert_eq!(options.columns.len(), 2);
    /// ```
    #[must_use]
    pub fn with_column(mut self, name: impl Into<String>, role: ColumnRole) -> Self {
        self.columns.insert(name.into(), role);
        self
    }

    /// Expects the kinds that the columns of `table` have, so that a second file is read like
    /// the first: a column of labels stays one even if this file's labels are all digits.
    #[must_use]
    pub fn like(mut self, table: &Table) -> Self {
        for column in table.columns() {
            let role = column.kind().into();
            self.hints.insert(column.name.clone(), role);
        }
        self
    }

    /// Reads these columns alone; see [`ReadOptions::only`].
    #[must_use]
    pub fn with_only(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.only = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// These options with what a file was taken for: another file read with them means the same.
    /// What each column was is in `hints`, and the decimal mark in `assumed_decimal`.
    #[must_use]
    pub fn as_read(&self, report: &ReadReport) -> Self {
        let mut options = self.clone();
        options.hints.extend(report.roles());
        if let Layout::Csv { decimal, .. } = report.layout() {
            options.assumed_decimal = Some(*decimal);
        }
        options
    }

    pub(crate) fn role(&self, name: &str) -> Option<&ColumnRole> {
        self.columns.get(name).or_else(|| self.hints.get(name))
    }

    /// Whether a column is read at all.
    pub(crate) fn needs(&self, name: &str) -> bool {
        self.role(name) != Some(&ColumnRole::Ignore)
            && self.only.as_ref().is_none_or(|only| only.contains(name))
    }

    /// Whether a column may be left out as a saved index.
    pub(crate) fn may_leave_out(&self, name: &str) -> bool {
        self.saved_index == SavedIndex::LeaveOut
            && self.only.is_none()
            && !self.keep.contains(name)
            && self.role(name).is_none()
    }

    /// Rows of the file that are no data, at its start.
    pub(crate) fn rows_before_data(&self) -> u64 {
        self.names_in_rows().saturating_add(self.skip_after_header)
    }

    /// Rows that hold names.
    pub(crate) fn names_in_rows(&self) -> u64 {
        if self.has_header == Some(false) {
            0
        } else {
            self.header_rows
        }
    }

    pub(crate) fn validate(&self) -> Result<(), DataError> {
        if (1..=100).contains(&self.header_rows) {
            return Ok(());
        }
        Err(DataError::config(format!(
            "`header_rows` is {}; allowed are 1 to 100, and `has_header = false` for a file \
             without names",
            self.header_rows
        )))
    }
}

/// What becomes of a data frame's index that was saved as a column: the columns that a Parquet
/// file's footer calls so, and a first column that counts the rows and has no name or one such as
/// `index`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SavedIndex {
    /// Not read, which is reported.
    #[default]
    LeaveOut,
    /// Read like any column.
    Keep,
}

/// What becomes of the cells that a merged one covers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MergedCells {
    /// They have the value that the sheet shows over them, which is reported.
    #[default]
    Fill,
    /// They are missing, all but the first.
    Missing,
    /// An error naming the first.
    Refuse,
}

/// A type of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TableFormat {
    /// Text divided by a delimiter.
    Csv,
    /// Apache Parquet; needs the feature `parquet`.
    Parquet,
    /// Excel `xlsx`, `xlsm`, `xls` and OpenDocument `ods`; needs the feature `excel`.
    Excel,
}

/// What becomes of infinities and of numbers too large for an f64.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Infinite {
    /// An error naming the first.
    #[default]
    Refuse,
    /// Read as missing and reported.
    Missing,
}

/// What becomes of a name that several columns have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DuplicateNames {
    /// An error naming the columns.
    #[default]
    Refuse,
    /// The later ones become `name.1`, `name.2`, and so on, which is reported.
    Rename,
}
