//! What reading a file did.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::path::PathBuf;

use super::RowNumbers;
use super::finding::{Finding, FindingKind};
use crate::printable;
use crate::schema::{ColumnKind, ColumnRole, Decimal};

/// What reading a file did: what it was taken for, and what was repaired.
///
/// Bounded whatever the file: a [`Finding`] stands for all cells of one kind in one column.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadReport {
    pub(crate) path: Option<PathBuf>,
    pub(crate) layout: Layout,
    pub(crate) rows: usize,
    pub(crate) columns: Vec<ColumnReport>,
    pub(crate) findings: Vec<Finding>,
    /// Which rows of the file are the table's.
    pub(crate) numbers: RowNumbers,
    /// The row of the file with the names, the last of several.
    pub(crate) header_row: Option<u64>,
}

/// What a file was taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Layout {
    /// Divided text.
    #[non_exhaustive]
    Csv {
        /// What stands between fields.
        delimiter: char,
        /// The mark between a number's whole and its fraction.
        decimal: Decimal,
        /// Whether the first row holds names.
        has_header: bool,
    },
    /// A Parquet file.
    #[non_exhaustive]
    Parquet {
        /// Number of row groups.
        row_groups: usize,
    },
    /// A sheet.
    #[non_exhaustive]
    Excel {
        /// The sheet that was read.
        sheet: String,
        /// The sheets that were not.
        other_sheets: Vec<String>,
        /// Whether the first row holds names.
        has_header: bool,
    },
}

/// What a column was taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ColumnReport {
    /// Its name in the table.
    pub name: String,
    /// Its kind; `None` if it was not read: as declared, not needed, or a saved index.
    pub kind: Option<ColumnKind>,
    /// What to declare it, so that another file is read as this one was, the order of dates
    /// included.
    pub role: ColumnRole,
    /// Number of missing cells.
    pub missing: usize,
    /// Number of distinct labels, for a categorical column.
    pub labels: Option<usize>,
}

impl ColumnReport {
    /// A column that was not read.
    pub(crate) fn not_read(name: String) -> Self {
        Self {
            name,
            kind: None,
            role: ColumnRole::Ignore,
            missing: 0,
            labels: None,
        }
    }
}

impl ReadReport {
    /// Lines of findings shown by `Display`.
    const SHOWN: usize = 50;

    pub(crate) fn new(layout: Layout) -> Self {
        Self {
            path: None,
            layout,
            rows: 0,
            columns: Vec::new(),
            findings: Vec::new(),
            numbers: RowNumbers::default(),
            header_row: None,
        }
    }

    /// What the file was taken for.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Number of rows read.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The columns of the file in order, ignored ones among them.
    #[must_use]
    pub fn columns(&self) -> &[ColumnReport] {
        &self.columns
    }

    /// What was repaired, and what a person should know: first of the file, then by column.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What the columns that were read were taken for, by name. As `hints` of another file's
    /// options, they have it read as this one was.
    #[must_use]
    pub fn roles(&self) -> BTreeMap<String, ColumnRole> {
        let read = self.columns.iter().filter(|c| c.kind.is_some());
        read.map(|c| (c.name.clone(), c.role.clone())).collect()
    }

    /// The finding of this kind in this column (`None`: in the file), if there is one.
    #[must_use]
    pub fn finding(&self, kind: FindingKind, column: Option<&str>) -> Option<&Finding> {
        self.findings
            .iter()
            .find(|f| f.kind == kind && f.column.as_deref() == column)
    }
}

impl Display for ReadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{}: ", printable(&path.to_string_lossy()))?;
        }
        let used = self.columns.iter().filter(|c| c.kind.is_some()).count();
        write!(f, "{} rows x {used} columns", self.rows)?;
        for kind in [
            ColumnKind::Numeric,
            ColumnKind::Categorical,
            ColumnKind::DateTime,
        ] {
            let count = self.columns.iter().filter(|c| c.kind == Some(kind)).count();
            if count > 0 && used > 0 {
                write!(f, ", {count} {kind}")?;
            }
        }
        if used < self.columns.len() {
            write!(f, ", {} not read", self.columns.len() - used)?;
        }
        match &self.layout {
            Layout::Csv {
                delimiter,
                decimal,
                has_header,
            } => {
                let name = match delimiter {
                    ',' => "comma".into(),
                    ';' => "semicolon".into(),
                    '\t' => "tab".into(),
                    '|' => "pipe".into(),
                    other => format!("{other:?}"),
                };
                let header = if *has_header { "" } else { ", no header" };
                write!(f, " (CSV: delimiter {name}, decimal {decimal}{header})")?;
            }
            Layout::Parquet { row_groups } => write!(f, " (Parquet: {row_groups} row groups)")?,
            Layout::Excel {
                sheet,
                other_sheets,
                has_header,
            } => {
                let header = if *has_header { "" } else { ", no header" };
                write!(f, " (sheet '{}'{header}", printable(sheet))?;
                if !other_sheets.is_empty() {
                    let others = other_sheets.join("', '");
                    write!(f, "; not read: '{}'", printable(&others))?;
                }
                f.write_str(")")?;
            }
        }
        for finding in self.findings.iter().take(Self::SHOWN) {
            write!(f, "\n  {finding}")?;
        }
        if self.findings.len() > Self::SHOWN {
            write!(f, "\n  and {} more", self.findings.len() - Self::SHOWN)?;
        }
        Ok(())
    }
}
