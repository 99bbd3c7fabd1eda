//! Trees, one after the other, on what those before them left.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use forge_nn::ForgeError;
use forust_ml::Matrix;
use forust_ml::binning::{BinnedData, bin_matrix};
use forust_ml::constraints::ConstraintMap;
use forust_ml::gradientbooster::GrowPolicy;
use forust_ml::sampler::SampleMethod;
use forust_ml::splitter::MissingImputerSplitter;
use forust_ml::tree::Tree;

use super::{BoostingBaseline, Link};
use crate::Error;
use crate::baseline::{DenseColumns, FittedNumbers, stopped};

/// Bins per column.
const BINS: u16 = 255;

/// The least that is added to a leaf's second derivatives: keeps the step finite where all rows are certain already.
const RIDGE: f32 = 1e-6;

/// Numbers in the features from which threads gain more than their waking costs.
const PARALLEL_FROM: usize = 100_000;

/// Features in bins.
pub(super) struct Ensemble<'a> {
    settings: &'a BoostingBaseline,
    train: &'a DenseColumns,
    /// One per training row, 1 on average.
    weights: Vec<f64>,
    binned: BinnedData<f64>,
    stop: &'a AtomicBool,
}

/// Trees that were grown.
pub(super) struct Trees {
    link: Link,
    /// The score that each output starts from.
    start: Vec<f64>,
    /// Round by round, output by output.
    trees: Vec<Tree>,
}

impl fmt::Debug for Trees {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trees")
            .field("link", &self.link)
            .field("trees", &self.trees.len())
            .finish_non_exhaustive()
    }
}

impl<'a> Ensemble<'a> {
    /// # Errors
    /// For no rows, or none of any weight.
    pub(super) fn new(
        settings: &'a BoostingBaseline,
        train: &'a DenseColumns,
        weights: Option<&[f64]>,
        stop: &'a AtomicBool,
    ) -> Result<Self, Error> {
        let rows = train.n_rows();
        let mut weights = weights.map_or_else(|| vec![1.0; rows], <[f64]>::to_vec);
        let total: f64 = weights.iter().sum();
        if rows == 0 || total <= 0.0 {
            let found = format!("{rows} rows of total weight {total}");
            return Err(ForgeError::shape("boosting target", found, "at least 1").into());
        }
        weights.iter_mut().for_each(|w| *w *= rows as f64 / total);
        // Bins hold equally many rows, whatever these count.
        let binned = bin_matrix(&matrix(train), &vec![1.0; rows], BINS, f64::NAN, true)
            .map_err(|e| ForgeError::training(format!("boosting: {e}")))?;
        Ok(Self {
            settings,
            train,
            weights,
            binned,
            stop,
        })
    }

    /// Fits a number per row.
    ///
    /// # Errors
    /// If it is stopped.
    pub(super) fn of_numbers(&self, target: &[f64]) -> Result<Trees, Error> {
        self.fit(Link::Identity, 1, |_, row| target[row])
    }

    /// Fits `outputs` scores to the truth of output `k` and training row `i`.
    ///
    /// # Errors
    /// If it is stopped.
    pub(super) fn fit(
        &self,
        link: Link,
        outputs: usize,
        truth: impl Fn(usize, usize) -> f64,
    ) -> Result<Trees, Error> {
        let rows = self.train.n_rows();
        let start = |output: usize| {
            let weighed = self.weights.iter().enumerate();
            let sum: f64 = weighed.map(|(row, w)| w * truth(output, row)).sum();
            link.score_of(sum / rows as f64)
        };
        let start: Vec<f64> = (0..outputs).map(start).collect();
        let mut scores: Vec<Vec<f64>> = start.iter().map(|score| vec![*score; rows]).collect();
        let (mut gradient, mut curvature) = (vec![0.0_f32; rows], vec![0.0_f32; rows]);
        let mut trees = Vec::new();
        for _ in 0..self.settings.rounds {
            let expected = link.expected(&scores);
            for output in 0..outputs {
                if self.stop.load(Ordering::Relaxed) {
                    return Err(stopped("boosting"));
                }
                for (row, weight) in self.weights.iter().enumerate() {
                    let expected = expected[output][row];
                    gradient[row] = (weight * (expected - truth(output, row))) as f32;
                    curvature[row] = (weight * link.curvature(expected, outputs)) as f32;
                }
                trees.extend(self.grow(&gradient, &curvature, &mut scores[output]));
            }
        }
        Ok(Trees { link, start, trees })
    }

    /// Grows a tree down the gradient, and adds what it says to the scores of the training rows.
    fn grow(&self, gradient: &[f32], curvature: &[f32], scores: &mut [f64]) -> Option<Tree> {
        let (rows, columns) = (self.train.n_rows(), self.train.n_columns());
        if columns == 0 {
            return None;
        }
        let parallel = is_parallel(self.train);
        let splitter = MissingImputerSplitter {
            l1: 0.0,
            l2: RIDGE.max(self.settings.l2 as f32),
            max_delta_step: 0.0,
            gamma: 0.0,
            min_leaf_weight: self.settings.min_leaf as f32,
            learning_rate: self.settings.learning_rate as f32,
            allow_missing_splits: false,
            constraints_map: ConstraintMap::new(),
        };
        let mut tree = Tree::new();
        // Level by level: forust's other order goes by what a leaf explains, not by what splitting it
        // would gain, which with few leaves leaves most of the gain undone.
        let by_leaf = tree.fit(
            &Matrix::new(&self.binned.binned_data, rows, columns),
            (0..rows).collect(),
            &(0..columns).collect::<Vec<_>>(),
            &self.binned.cuts,
            gradient,
            curvature,
            &splitter,
            usize::MAX,
            self.settings.max_depth,
            parallel,
            &SampleMethod::None,
            &GrowPolicy::DepthWise,
        );
        match by_leaf {
            Some(by_leaf) => {
                for (rows, value) in by_leaf.leaves(&tree) {
                    rows.iter().for_each(|row| scores[*row] += value);
                }
            }
            None => add(
                scores,
                &tree.predict(&matrix(self.train), parallel, &f64::NAN),
            ),
        }
        Some(tree)
    }
}

impl Trees {
    /// What is expected of rows, `[K][M]`.
    pub(super) fn expected(&self, rows: &DenseColumns) -> Vec<Vec<f64>> {
        let outputs = self.start.len();
        let each = self.start.iter().map(|score| vec![*score; rows.n_rows()]);
        let mut scores: Vec<Vec<f64>> = each.collect();
        let parallel = is_parallel(rows);
        for (i, tree) in self.trees.iter().enumerate() {
            let more = tree.predict(&matrix(rows), parallel, &f64::NAN);
            add(&mut scores[i % outputs], &more);
        }
        self.link.expected(&scores)
    }
}

impl FittedNumbers for Trees {
    fn predict(&self, rows: &DenseColumns) -> Vec<f64> {
        self.expected(rows).pop().unwrap_or_default()
    }
}

/// Whether threads gain more than their waking costs.
fn is_parallel(data: &DenseColumns) -> bool {
    data.n_rows() * data.n_columns() >= PARALLEL_FROM
}

fn add(scores: &mut [f64], more: &[f64]) {
    for (score, more) in scores.iter_mut().zip(more) {
        *score += more;
    }
}

fn matrix(data: &DenseColumns) -> Matrix<'_, f64> {
    Matrix::new(data.values(), data.n_rows(), data.n_columns())
}
