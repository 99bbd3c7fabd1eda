//! Where the bins of a number begin and end.

mod frontier;
mod quantile;
mod tree;

use serde::{Deserialize, Serialize};

use crate::{ForgeError, check};

/// Most bins of a feature.
const MOST: usize = 4_096;

/// How the bins of piecewise-linear embeddings are found in training data: `compute_bins` of
/// `rtdl_num_embeddings` 0.0.12, sections 3.2.1 and 3.2.2 of arXiv 2203.05556 v4.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Binning {
    /// Bins that hold about as many training values each.
    Quantile {
        /// Most bins of a feature, 2 to 4,096; fewer where quantiles coincide, and at most the
        /// number of rows less one. Default 48.
        #[serde(default = "n_bins")]
        n_bins: usize,
    },
    /// The leaves of a decision tree that predicts the target from this feature alone: bins where
    /// the target changes.
    Tree {
        /// Most bins of a feature, 2 to 4,096. Default 48.
        #[serde(default = "n_bins")]
        n_bins: usize,
        /// Fewest training rows in a bin, at least 1. Default 64.
        #[serde(default = "min_samples_leaf")]
        min_samples_leaf: usize,
        /// How much a split must lower the impurity (the variance of the target in the model's
        /// scale, or Gini's of classes), weighted by its share of the rows; at least 0. Default 1e-4.
        #[serde(default = "min_impurity_decrease")]
        min_impurity_decrease: f64,
    },
    /// They stand in the config already.
    Given,
}

fn n_bins() -> usize {
    48
}

fn min_samples_leaf() -> usize {
    64
}

fn min_impurity_decrease() -> f64 {
    1e-4
}

impl Default for Binning {
    fn default() -> Self {
        Self::Quantile { n_bins: n_bins() }
    }
}

/// Targets of the training rows, for trees.
#[derive(Debug, Clone, Copy)]
pub struct BinTargets<'a> {
    /// `[N, S]` row by row: numbers, or classes in `0..n_classes` as floats.
    pub values: &'a [f64],
    /// `S`, at least 1; 1 for classes.
    pub slots: usize,
    /// Number of classes; absent where targets are numbers.
    pub n_classes: Option<usize>,
}

impl Binning {
    pub(super) fn validate(&self) -> Result<(), ForgeError> {
        let field = "num_embeddings.binning";
        match self {
            Self::Given => return Ok(()),
            Self::Quantile { n_bins } | Self::Tree { n_bins, .. } => {
                check::in_range(&format!("{field}.n_bins"), *n_bins, 2..=MOST)?;
            }
        }
        if let Self::Tree {
            min_samples_leaf,
            min_impurity_decrease,
            ..
        } = self
        {
            let leaf = format!("{field}.min_samples_leaf");
            check::at_least_one(&leaf, *min_samples_leaf)?;
            let decrease = format!("{field}.min_impurity_decrease");
            check::in_range(&decrease, *min_impurity_decrease, 0.0..=f64::MAX)?;
        }
        Ok(())
    }

    /// The edges of the bins of one feature, number `j`, with these training values: rising, at
    /// least two. A feature that never varies has one bin, which starts at its value.
    ///
    /// # Errors
    /// A config error for fields out of range, or where edges have to be given; a training error
    /// naming a value that is not finite, or for no values; a shape error for another number of
    /// targets, where a tree needs them.
    pub fn edges(
        &self,
        j: usize,
        values: &[f64],
        targets: BinTargets<'_>,
    ) -> Result<Vec<f64>, ForgeError> {
        self.validate()?;
        if let Some(row) = values.iter().position(|value| !value.is_finite()) {
            return Err(ForgeError::training(format!(
                "numeric feature {j}, row {row}: {} is not finite, bins cannot be made",
                values[row]
            )));
        }
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let (Some(&first), Some(&last)) = (sorted.first(), sorted.last()) else {
            let what = format!("numeric feature {j} has no training rows to make bins of");
            return Err(ForgeError::training(what));
        };
        let mut edges = match self {
            Self::Given => {
                let allowed =
                    "one list of edges per feature where num_embeddings.binning.kind is given";
                return Err(ForgeError::config("num_embeddings.bins", "empty", allowed));
            }
            Self::Quantile { n_bins } => quantile::edges(&sorted, *n_bins),
            Self::Tree {
                n_bins,
                min_samples_leaf,
                min_impurity_decrease,
            } => {
                let limits = tree::Limits {
                    leaves: *n_bins,
                    rows: *min_samples_leaf,
                    decrease: *min_impurity_decrease,
                };
                let mut edges = tree::thresholds(values, targets, limits)?;
                edges.extend([first, last]);
                edges
            }
        };
        edges.sort_unstable_by(f64::total_cmp);
        // 0 and -0 are one value.
        edges.dedup_by(|a, b| a == b);
        if edges.len() == 1 {
            edges.push(first + first.abs().max(1.0));
        }
        Ok(edges)
    }
}
