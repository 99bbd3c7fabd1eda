//! What the predictions lose when a column is shuffled.

use forge_data::{Features, Table};
use forge_nn::{ForgeError, check};
use forge_train::metric::{Direction, Score};
use forge_train::objective::{Objective, Targets};
use forge_train::sampler::{Sampler, Shuffle};
use serde::{Deserialize, Serialize};

use super::importance::check_rows;
use super::{ColumnImportance, FittedModel};
use crate::Error;

/// How permutation importance is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PermutationConfig {
    /// How often each column is shuffled, at least 1. Default 5.
    pub repeats: usize,
    /// What the shuffles depend on. Default 0.
    pub seed: u64,
}

impl Default for PermutationConfig {
    fn default() -> Self {
        Self {
            repeats: 5,
            seed: 0,
        }
    }
}

impl FittedModel {
    /// How much worse the deciding score of some rows (or of all) gets, in its own unit, when the
    /// cells of one column are shuffled among them; most first. Works for every model and every
    /// objective.
    ///
    /// Give it rows that were not trained on, such as the validation rows: on training rows a
    /// column that was learnt by heart counts too. Columns that tell the same cover for each other
    /// and count little each. A value around 0, within a few of its
    /// [`std`](ColumnImportance::std), says that the model does without the column.
    ///
    /// All features made of a column (its missing indicator, its one-hot columns) are shuffled
    /// together. The cost is that of `columns · repeats` predictions of all rows.
    ///
    /// Breiman 2001, "Random Forests", section 10; defined as `sklearn.inspection`'s
    /// `permutation_importance`, with the standard deviation over `repeats` (biased).
    ///
    /// # Errors
    /// A config error if there are no rows or no repetitions; a training error if the score is
    /// undefined for these rows; as [`scores`](Self::scores) otherwise.
    pub fn permutation_importance(
        &self,
        table: &Table,
        rows: Option<&[usize]>,
        config: &PermutationConfig,
    ) -> Result<Vec<ColumnImportance>, Error> {
        check::at_least_one("repeats", config.repeats)?;
        let masks = self.model.capabilities().missing;
        let features = self.preprocessor.transform_with(table, rows, masks)?;
        check_rows(features.n_rows)?;
        let targets = self.targets_of(table, rows)?;
        let whole = self.deciding(features.clone(), &targets)?;
        let n = features.n_rows;
        let mut shuffle = Shuffle::new(n, n, config.seed);
        let sources = self.preprocessor.feature_sources();
        let mut columns = self.no_importance();
        for (at, column) in columns.iter_mut().enumerate() {
            let of_column: Vec<usize> = (0..sources.len()).filter(|i| sources[*i] == at).collect();
            let mut losses = Vec::with_capacity(config.repeats);
            for repeat in 0..config.repeats {
                let order = shuffle.rows(at * config.repeats + repeat, 0)?;
                let score = self.deciding(shuffled(&features, &of_column, &order), &targets)?;
                losses.push(match score.direction {
                    Direction::Minimize => score.value - whole.value,
                    Direction::Maximize => whole.value - score.value,
                });
            }
            let count = losses.len() as f64;
            column.value = losses.iter().sum::<f64>() / count;
            let squares = losses.iter().map(|loss| (loss - column.value).powi(2));
            column.std = Some((squares.sum::<f64>() / count).sqrt());
        }
        ColumnImportance::sort(&mut columns);
        Ok(columns)
    }

    /// The score that decides, of preprocessed rows.
    fn deciding(&self, features: Features, targets: &Targets) -> Result<Score, Error> {
        let scores = self
            .objective
            .scores(&self.predictions_of(features)?, targets)?;
        let deciding = scores.deciding().filter(|score| !score.value.is_nan());
        deciding.cloned().ok_or_else(|| {
            let what = "the deciding score is undefined for these rows: give others, or more";
            ForgeError::training(what).into()
        })
    }
}

/// The rows with the cells of some features (numeric ones first, then categorical) in another
/// order.
fn shuffled(features: &Features, which: &[usize], order: &[usize]) -> Features {
    let mut changed = features.clone();
    for feature in which {
        let (numbers, codes) = (features.n_numeric, features.n_categorical);
        if *feature < numbers {
            let at = (numbers, *feature);
            reorder(&features.numeric, &mut changed.numeric, at, order);
            if let (Some(from), Some(to)) = (&features.num_present, &mut changed.num_present) {
                reorder(from, to, at, order);
            }
        } else {
            let at = (codes, feature - numbers);
            reorder(&features.categorical, &mut changed.categorical, at, order);
            if let (Some(from), Some(to)) = (&features.cat_present, &mut changed.cat_present) {
                reorder(from, to, at, order);
            }
        }
    }
    changed
}

/// One column of a row-major matrix `(width, column)`.
fn reorder<T: Copy>(from: &[T], to: &mut [T], (width, column): (usize, usize), order: &[usize]) {
    for (row, source) in order.iter().enumerate() {
        to[row * width + column] = from[source * width + column];
    }
}
