//! One table.

use rand::seq::SliceRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::TablePriorConfig;
use super::classes::{self, Boundaries};
use super::columns::{categorised, standardised};
use super::graph::Nodes;
use super::law::{Law, coin, uniform};
use crate::DataError;

/// Laws that are tried for one table; more than a few are needed by no config that makes sense.
const MOST_LAWS: usize = 1_000;
/// Orders of the rows that are tried, so that every class is among the labelled ones.
const MOST_ORDERS: usize = 10;

/// A table as an in-context model is given it.
///
/// Features and numeric targets have mean 0 and deviation 1 over the labelled rows and are cut at
/// ±5; features without variation there are 0.
#[derive(Debug, Clone, PartialEq)]
pub struct DrawnTable {
    /// `[N, F]` row by row, the labelled rows first.
    pub features: Vec<f32>,
    /// Number of features, `F`.
    pub n_features: usize,
    /// One per row: a class number, or a number.
    pub target: Vec<f32>,
    /// So many of the first rows are labelled; the others are to be predicted.
    pub labelled: usize,
    /// Number of classes, all of which have labelled rows; absent for numbers.
    pub n_classes: Option<usize>,
}

impl DrawnTable {
    /// Rows, `N`.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.target.len()
    }
}

impl TablePriorConfig {
    /// Table `number` of the stream of `seed`.
    ///
    /// # Errors
    /// What [`validate`](Self::validate) finds; a value error if the settings give no table whose
    /// target varies.
    pub fn draw(&self, seed: u64, number: u64) -> Result<DrawnTable, DataError> {
        self.validate()?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(number);
        (0..MOST_LAWS)
            .find_map(|_| self.attempt(&mut rng))
            .ok_or_else(|| {
                let rows = self.rows;
                DataError::value(format!(
                    "no table of {rows} rows whose target varies in {MOST_LAWS} attempts: take \
                     more rows or fewer classes"
                ))
            })
    }

    /// None if the target does not vary, or not all classes are labelled.
    fn attempt(&self, rng: &mut ChaCha8Rng) -> Option<DrawnTable> {
        let rows = self.rows;
        let [least, most] = self.labelled;
        let labelled = (rows as f64 * uniform(rng, least, most)) as usize;
        let labelled = labelled.clamp(2, rows - 1);
        let n = rng.random_range(1..=self.max_features);
        let causal = rng.random::<f64>() < self.causal;
        let law = Law::draw(rng, causal);
        let Nodes { features, target } = Nodes::draw(rng, &law, rows, n);
        if !features.iter().chain(&target).all(|x| x.is_finite()) {
            return None;
        }
        let mut columns: Vec<Vec<f64>> = (0..n)
            .map(|j| features.iter().skip(j).step_by(n).copied().collect())
            .collect();
        if rng.random::<f64>() < self.categorical {
            categorised(rng, &mut columns);
        }
        let (order, target, n_classes) = self.labels(rng, target, labelled)?;
        for column in &mut columns {
            *column = order.iter().map(|row| column[*row]).collect();
            if standardised(column, labelled).is_none() {
                column.fill(0.0);
            }
        }
        let row = |row: usize| columns.iter().map(move |column| column[row] as f32);
        Some(DrawnTable {
            features: (0..rows).flat_map(row).collect(),
            n_features: n,
            target,
            labelled,
            n_classes,
        })
    }

    /// An order of the rows, their targets in it, and the number of classes.
    fn labels(
        &self,
        rng: &mut impl Rng,
        mut values: Vec<f64>,
        labelled: usize,
    ) -> Option<(Vec<usize>, Vec<f32>, Option<usize>)> {
        let mut order: Vec<usize> = (0..values.len()).collect();
        if self.max_classes == 0 {
            standardised(&mut values, labelled)?;
            return Some((order, values.into_iter().map(|y| y as f32).collect(), None));
        }
        let all = values.len();
        standardised(&mut values, all)?;
        let boundaries = match coin(rng) {
            true => Boundaries::Rank,
            false => Boundaries::Value,
        };
        let n = classes::count(rng, self.max_classes);
        let ordered = uniform(rng, 0.0, 0.5);
        let classes = classes::cut(rng, &values, n, &boundaries, ordered);
        let (classes, n) = classes::renumbered(rng, &classes);
        let known = |order: &[usize]| {
            let mut there = vec![false; n];
            order.iter().for_each(|row| there[classes[*row]] = true);
            there.iter().all(|there| *there)
        };
        if n < 2 {
            return None;
        }
        for _ in 0..MOST_ORDERS {
            if known(&order[..labelled]) {
                let target = order.iter().map(|row| classes[*row] as f32);
                let target = target.collect();
                return Some((order, target, Some(n)));
            }
            order.shuffle(rng);
        }
        None
    }
}
