//! What was repaired and not known in the rows at hand, for people to read.

use std::fmt::{self, Display};

use super::seen_row;
use crate::{DataError, printable};

/// Fewer labelled cells than this say nothing about a column.
const FEWEST: u64 = 20;
/// Labels named of each set.
pub(super) const NAMED: usize = 5;

/// What [`Preprocessor::transform`](super::Preprocessor::transform) repaired on the way, column by
/// column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransformReport {
    /// Rows that were transformed.
    pub rows: usize,
    /// Missing cells: numbers were imputed, labels went to the missing or unknown bucket.
    pub missing: Vec<MissingCells>,
    /// Labels that were taken for one of training that has the same value.
    pub matched: Vec<LabelCells>,
    /// Labels that have no code of their own, in the unknown bucket.
    pub unknown: Vec<LabelCells>,
}

/// Missing cells of one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingCells {
    /// The column.
    pub column: String,
    /// How many.
    pub count: u64,
    /// The first row with one (0-based).
    pub row: usize,
    /// Whether training is known to have had none: the model never saw what that means.
    pub new: bool,
}

/// Cells of one column whose label training did not have in this spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelCells {
    /// The column.
    pub column: String,
    /// How many.
    pub count: u64,
    /// Cells of the column that have a label.
    pub labelled: u64,
    /// The first row with one (0-based).
    pub row: usize,
    /// Its label.
    pub label: String,
    /// The first few such labels.
    pub labels: Vec<String>,
    /// The first few labels of training, sorted.
    pub trained: Vec<String>,
}

impl LabelCells {
    /// More than half of at least twenty labels.
    #[must_use]
    pub fn is_most(&self) -> bool {
        self.labelled >= FEWEST && 2 * self.count > self.labelled
    }
}

impl TransformReport {
    /// Only what training did not have: missing cells where it had none, labels of another spelling
    /// and unknown ones.
    #[must_use]
    pub fn unseen(&self) -> Self {
        let mut unseen = self.clone();
        unseen.missing.retain(|cells| cells.new);
        unseen
    }

    /// Refuses a column whose labels are mostly unknown: it is another column than in training, or
    /// one that is written in another way, and predictions from it are worth nothing.
    ///
    /// # Errors
    /// A value error naming column, row, how many of the labels are unknown, and labels of both
    /// sets.
    pub fn refuse_mostly_unknown(&self) -> Result<(), DataError> {
        let Some(found) = self.unknown.iter().find(|found| found.is_most()) else {
            return Ok(());
        };
        Err(DataError::value(format!(
            "{} of {} labels were not seen in training. Here: {}. In training: {}. Write them alike, \
             or train without the column; where new labels are meant to share the unknown bucket, \
             allow unknown labels",
            found.count,
            found.labelled,
            quoted(&found.labels),
            quoted(&found.trained)
        ))
        .at_index(found.row)
        .at_column(&found.column))
    }
}

/// One line per finding, with an example; nothing where there is none.
impl Display for TransformReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Vec::new();
        for MissingCells {
            column,
            count,
            row,
            new,
        } in &self.missing
        {
            let new = if *new {
                ", where training had none"
            } else {
                ""
            };
            lines.push(format!(
                "column '{column}': {count} of {} cells missing{new} (first in row {})",
                self.rows,
                seen_row(*row)
            ));
        }
        let labels = |found: &LabelCells, what: &str| {
            format!(
                "column '{}': {} of {} labels {what} (first '{}' in row {}; training has {})",
                found.column,
                found.count,
                found.labelled,
                found.label,
                seen_row(found.row),
                quoted(&found.trained)
            )
        };
        for found in &self.matched {
            lines.push(labels(
                found,
                "taken for those of training with the same value",
            ));
        }
        for found in &self.unknown {
            lines.push(labels(found, "not seen in training, in the unknown bucket"));
        }
        let lines: Vec<_> = lines.iter().map(|line| printable(line)).collect();
        f.write_str(&lines.join("\n"))
    }
}

/// `'a', 'b', ..`
fn quoted(labels: &[String]) -> String {
    let mut shown: Vec<String> = labels
        .iter()
        .take(NAMED)
        .map(|label| format!("'{label}'"))
        .collect();
    if labels.len() > NAMED {
        shown.push("..".into());
    }
    shown.join(", ")
}
