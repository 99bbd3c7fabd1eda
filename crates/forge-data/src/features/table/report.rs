//! What making features did.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use crate::preprocess::seen_row;
use crate::{Column, printable};

/// What making features did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FeatureReport {
    /// Rows of the table.
    pub rows: usize,
    /// Series among them; 0 for option chains.
    pub series: usize,
    /// Cells that were skipped, by column.
    pub skipped: Vec<SkippedCells>,
    /// Rows in which each feature is missing, in the set's order.
    pub missing: Vec<(String, usize)>,
}

/// The cells of a column that were skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SkippedCells {
    /// The column.
    pub column: String,
    /// What was wrong with them.
    pub kind: SkippedKind,
    /// How many.
    pub count: usize,
    /// The first row, header = 1.
    pub first_row: u64,
}

/// What was wrong with a cell that was skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SkippedKind {
    /// It is missing.
    Missing,
    /// It cannot be.
    Invalid,
    /// It is a time too long after the one before: bars are missing between them.
    Gap,
}

impl SkippedKind {
    /// The field of the config that decides.
    pub(super) fn setting(self) -> &'static str {
        match self {
            Self::Missing | Self::Gap => "missing",
            Self::Invalid => "invalid",
        }
    }
}

impl FeatureReport {
    pub(super) fn new(series: usize, skips: Skips, columns: &[Column]) -> Self {
        Self {
            rows: columns.first().map_or(0, Column::len),
            series,
            skipped: skips.into_cells(),
            missing: columns
                .iter()
                .map(|column| (column.name.clone(), column.missing()))
                .collect(),
        }
    }

    /// Number of rows in which a feature is missing; 0 for one that is not in the set.
    #[must_use]
    pub fn missing(&self, feature: &str) -> usize {
        let found = self.missing.iter().find(|(name, _)| name == feature);
        found.map_or(0, |(_, count)| *count)
    }
}

impl Display for FeatureReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} features of {} rows", self.missing.len(), self.rows)?;
        if self.series > 0 {
            write!(f, " in {} series", self.series)?;
        }
        for cells in &self.skipped {
            let what = match cells.kind {
                SkippedKind::Missing => "missing cells skipped, the first in",
                SkippedKind::Invalid => "invalid cells skipped, the first in",
                SkippedKind::Gap => "gaps between bars, the first before",
            };
            let (column, count) = (printable(&cells.column), cells.count);
            write!(
                f,
                "\ncolumn '{column}': {count} {what} row {}",
                cells.first_row
            )?;
        }
        let most = self.missing.iter().max_by_key(|(_, count)| *count);
        if let Some((name, count)) = most.filter(|(_, count)| *count > 0) {
            let name = printable(name);
            write!(f, "\nmissing most often: '{name}', in {count} rows")?;
        }
        Ok(())
    }
}

/// Skipped cells in the making.
#[derive(Debug, Default)]
pub(super) struct Skips(BTreeMap<(String, SkippedKind), (usize, usize)>);

impl Skips {
    pub(super) fn add(&mut self, column: &str, row: usize, kind: SkippedKind) {
        let (count, first) = self.0.entry((column.to_owned(), kind)).or_insert((0, row));
        *count += 1;
        *first = (*first).min(row);
    }

    fn into_cells(self) -> Vec<SkippedCells> {
        let cells = self.0.into_iter();
        cells
            .map(|((column, kind), (count, first))| SkippedCells {
                column,
                kind,
                count,
                first_row: seen_row(first),
            })
            .collect()
    }
}
