//! The labels of one categorical column and their codes.

use std::ops::Range;

use super::report::{DropReason, RareLabels};
use super::{CategoricalEncoding, PreprocessConfig};
use crate::{Categorical, DataError};

/// The code of labels unseen in training or merged for rarity.
pub(super) const UNKNOWN: i32 = 0;

/// A fitted categorical column: code 0 is unknown, then the missing bucket if training had
/// missing cells, then the labels in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CategoricalColumn {
    pub(super) name: String,
    /// Sorted, distinct.
    pub(super) labels: Vec<String>,
    /// Missing cells have a code of their own (1) rather than the unknown bucket's.
    pub(super) missing: bool,
}

/// What fitting a categorical column came to.
pub(super) struct CategoricalFit {
    pub(super) column: Option<CategoricalColumn>,
    pub(super) dropped: Option<DropReason>,
    pub(super) rare: Option<RareLabels>,
    pub(super) identifier: bool,
}

impl CategoricalColumn {
    /// Learns from `cells.codes[train_rows]`.
    ///
    /// # Errors
    /// A value error for a code that has no label.
    pub(super) fn fit(
        name: &str,
        cells: &Categorical,
        train_rows: &[usize],
        config: &PreprocessConfig,
    ) -> Result<CategoricalFit, DataError> {
        let mut by_code = vec![0u64; cells.categories.len()];
        let mut missing = 0u64;
        for &row in train_rows {
            let code = cells.codes[row];
            if code == Categorical::MISSING {
                missing += 1;
            } else if let Some(count) = by_code.get_mut(code as usize) {
                *count += 1;
            } else {
                return Err(bad_code(code as usize, by_code.len(), row, name));
            }
        }
        let mut seen: Vec<(&str, u64)> = cells
            .categories
            .iter()
            .map(String::as_str)
            .zip(by_code)
            .filter(|(_, count)| *count > 0)
            .collect();
        // Tables built by hand may list a label twice.
        seen.sort_unstable();
        seen.dedup_by(|later, first| {
            let same = later.0 == first.0;
            if same {
                first.1 += later.1;
            }
            same
        });
        let distinct = seen.len();
        let identifier = distinct > 1 && distinct == train_rows.len();
        let none = |reason| CategoricalFit {
            column: None,
            dropped: Some(reason),
            rare: None,
            identifier: false,
        };
        if distinct == 0 {
            return Ok(none(DropReason::AllMissing));
        }
        if distinct == 1 && missing == 0 {
            return Ok(none(DropReason::Constant));
        }
        let total: u64 = seen.iter().map(|(_, count)| count).sum();
        seen.retain(|(_, count)| *count >= config.min_category_count as u64);
        // Ties are cut by label, so that the order of rows does not matter.
        seen.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        seen.truncate(config.label_cap());
        if seen.is_empty() {
            return Ok(none(DropReason::OnlyRareLabels));
        }
        let kept_rows: u64 = seen.iter().map(|(_, count)| count).sum();
        let mut labels: Vec<String> = seen.iter().map(|(label, _)| (*label).into()).collect();
        labels.sort_unstable();
        let rare = (labels.len() < distinct).then(|| RareLabels {
            name: name.into(),
            kept: labels.len(),
            merged: distinct - labels.len(),
            rows: total - kept_rows,
        });
        Ok(CategoricalFit {
            column: Some(Self {
                name: name.into(),
                labels,
                missing: missing > 0,
            }),
            dropped: None,
            rare,
            identifier,
        })
    }

    /// The code of a missing cell.
    pub(super) fn missing_code(&self) -> i32 {
        if self.missing { 1 } else { UNKNOWN }
    }

    /// The code of the first label.
    fn first_label(&self) -> i32 {
        1 + i32::from(self.missing)
    }

    /// Number of codes.
    pub(super) fn cardinality(&self) -> usize {
        self.labels.len() + 1 + usize::from(self.missing)
    }

    /// Numeric columns of the one-hot form: every code but the unknown one.
    pub(super) fn one_hot_width(&self) -> usize {
        self.cardinality() - 1
    }

    /// Which of them are labels, rather than the missing bucket.
    pub(super) fn one_hot_labels(&self) -> Range<usize> {
        usize::from(self.missing)..self.one_hot_width()
    }

    /// Names of the one-hot columns.
    pub(super) fn one_hot_names(&self) -> impl Iterator<Item = String> + '_ {
        self.missing
            .then(|| format!("{} (missing)", self.name))
            .into_iter()
            .chain(self.labels.iter().map(|l| format!("{}={l}", self.name)))
    }

    /// The labels with their codes.
    pub(super) fn codes(&self) -> impl Iterator<Item = (&str, i32)> {
        let codes = self.first_label()..;
        self.labels.iter().map(String::as_str).zip(codes)
    }

    /// Features this column takes in the numeric and in the categorical matrix.
    pub(super) fn widths(&self, encoding: CategoricalEncoding) -> (usize, usize) {
        match encoding {
            CategoricalEncoding::Codes => (0, 1),
            CategoricalEncoding::OneHot => (self.one_hot_width(), 0),
        }
    }
}

pub(super) fn bad_code(code: usize, labels: usize, row: usize, name: &str) -> DataError {
    DataError::value(format!("code {code} has no label; there are {labels}"))
        .at_index(row)
        .at_column(name)
}
