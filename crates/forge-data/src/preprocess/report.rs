//! What fitting found and decided, for people to read.

use std::fmt::{self, Display};

use serde::{Deserialize, Serialize};

use super::FarOut;

/// Why a column is not among the features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DropReason {
    /// No training row has a value.
    AllMissing,
    /// All training rows have the same value: zero variance, nothing to learn.
    Constant,
    /// Every present value is the same, but some are missing: only the missing indicator is kept.
    ConstantButMissing,
    /// Dates split tables; they are not features.
    DateTime,
    /// No label occurs in `min_category_count` training rows.
    OnlyRareLabels,
}

impl Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AllMissing => "no value in the training rows",
            Self::Constant => "constant in the training rows (zero variance)",
            Self::ConstantButMissing => {
                "constant where present (zero variance); only its missing indicator is kept"
            }
            Self::DateTime => "dates are used for splitting, not as features",
            Self::OnlyRareLabels => "every label is rarer than min_category_count",
        })
    }
}

/// A column left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DroppedColumn {
    /// The column.
    pub name: String,
    /// Why.
    pub reason: DropReason,
}

/// Labels of a categorical column that share the unknown bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RareLabels {
    /// The column.
    pub name: String,
    /// Labels with a code of their own.
    pub kept: usize,
    /// Labels of the training rows sent to the unknown bucket.
    pub merged: usize,
    /// Training rows with such a label.
    pub rows: u64,
}

/// What [`Preprocessor::fit`](super::Preprocessor::fit) found and decided.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PreprocessReport {
    /// Number of training rows.
    pub train_rows: usize,
    /// Columns left out.
    pub dropped: Vec<DroppedColumn>,
    /// Numeric columns with missing values in training, and how many.
    pub imputed: Vec<(String, u64)>,
    /// Categorical columns whose rare labels were merged.
    pub rare: Vec<RareLabels>,
    /// Categorical columns in which every training row has a label of its own, as identifiers do:
    /// nothing in them carries over to new rows.
    pub identifiers: Vec<String>,
    /// Standardised columns that a few values far out leave with nothing to tell apart.
    #[serde(default)]
    pub far_out: Vec<FarOut>,
}

impl Display for PreprocessReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "statistics from {} training rows", self.train_rows)?;
        for DroppedColumn { name, reason } in &self.dropped {
            write!(f, "\ncolumn '{name}' left out: {reason}")?;
        }
        for (name, count) in &self.imputed {
            write!(f, "\ncolumn '{name}': {count} missing values imputed")?;
        }
        for rare in &self.rare {
            write!(
                f,
                "\ncolumn '{}': {} labels kept, {} rare ones ({} rows) share the unknown bucket",
                rare.name, rare.kept, rare.merged, rare.rows
            )?;
        }
        for name in &self.identifiers {
            write!(
                f,
                "\ncolumn '{name}': every training row has its own label; an identifier?"
            )?;
        }
        for far_out in &self.far_out {
            write!(
                f,
                "\nwarning: column {far_out}: mend the cell, ignore the column, or scale it by \
                 quantiles (numeric = \"quantile\")"
            )?;
        }
        Ok(())
    }
}
