//! The two preparations of a table's columns.

use crate::tabular::in_context::{DrawnIn, Quantiles, SingularVectors, SplitMix, YeoJohnson};

/// Classifiers draw in what lies beyond so many deviations.
const REACH: f64 = 12.0;

/// What columns become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recipe {
    /// The columns, each as the share of rows below too (with a quantile for so many rows), and the
    /// first singular vectors of all that.
    WithQuantiles { rows_per_quantile: usize },
    /// Each column through a power transform.
    Power,
    /// The columns as they are.
    Plain,
}

/// Fitted to labelled rows. Missing values are NaN and stay where nothing is said of them.
#[derive(Debug, Clone)]
pub(super) struct Features {
    quantiles: Vec<Quantiles>,
    powers: Vec<YeoJohnson>,
    directions: Option<SingularVectors>,
    /// Of all features, the fingerprint too; empty: nothing is drawn in.
    drawn_in: Vec<DrawnIn>,
    /// Number of features, the fingerprint too.
    pub(super) width: usize,
    /// The labelled rows.
    pub(super) labelled: Vec<Vec<f64>>,
}

impl Features {
    pub(super) fn fit(recipe: Recipe, rows: &[Vec<f64>], draws_in: bool) -> Self {
        let (count, columns) = (rows.len(), rows.first().map_or(0, Vec::len));
        let column =
            |rows: &[Vec<f64>], j: usize| -> Vec<f64> { rows.iter().map(|row| row[j]).collect() };
        let mut this = Self {
            quantiles: vec![],
            powers: vec![],
            directions: None,
            drawn_in: vec![],
            width: 0,
            labelled: vec![],
        };
        let each = (0..columns).map(|j| column(rows, j));
        match recipe {
            Recipe::WithQuantiles { rows_per_quantile } => {
                let quantiles = (count / rows_per_quantile).max(2);
                let fitted = each.map(|values| Quantiles::fit(&values, quantiles));
                this.quantiles = fitted.collect();
                if columns > 1 {
                    let wide: Vec<Vec<f64>> = rows.iter().map(|row| this.columns(row)).collect();
                    let vectors = (count / 10 + 1).min(columns / 2).max(1);
                    this.directions = Some(SingularVectors::fit(&wide, vectors));
                }
            }
            Recipe::Power => this.powers = each.map(|values| YeoJohnson::fit(&values)).collect(),
            Recipe::Plain => {}
        }
        let prepared = rows.iter().map(|row| this.prepared(row));
        let mut prepared: Vec<Vec<f64>> = prepared.collect();
        fingerprint(&mut prepared);
        this.width = prepared.first().map_or(0, Vec::len);
        if draws_in {
            let fit = |j| DrawnIn::fit(&column(&prepared, j), REACH, 0.0);
            this.drawn_in = (0..this.width).map(fit).collect();
        }
        this.labelled = prepared.into_iter().map(|row| this.drawn(row)).collect();
        this
    }

    /// Other rows.
    pub(super) fn apply(&self, row: &[f64]) -> Vec<f64> {
        let mut row = self.prepared(row);
        row.push(hash(&row, 0));
        self.drawn(row)
    }

    /// All but the fingerprint.
    fn prepared(&self, row: &[f64]) -> Vec<f64> {
        let mut features = self.columns(row);
        if let Some(directions) = &self.directions {
            let along = directions.apply(&features);
            features.extend(along);
        }
        features
    }

    fn columns(&self, row: &[f64]) -> Vec<f64> {
        if !self.powers.is_empty() {
            // The package imputes the mean here, which is 0.
            let power = |(x, power): (&f64, &YeoJohnson)| power.apply(*x);
            let powers = row.iter().zip(&self.powers).map(power);
            return powers
                .map(|x| if x.is_finite() { x } else { 0.0 })
                .collect();
        }
        let mut features = row.to_vec();
        let quantiles = row.iter().zip(&self.quantiles);
        features.extend(quantiles.map(|(x, quantiles)| quantiles.apply(*x)));
        features
    }

    fn drawn(&self, row: Vec<f64>) -> Vec<f64> {
        if self.drawn_in.is_empty() {
            return row;
        }
        let each = row.iter().zip(&self.drawn_in);
        each.map(|(x, drawn_in)| drawn_in.apply(*x)).collect()
    }
}

/// Adds to every row a number that tells it from the others, those with the same values too.
fn fingerprint(rows: &mut [Vec<f64>]) {
    let mut seen = std::collections::BTreeSet::new();
    for row in rows {
        let mut times = 0;
        let mut number = hash(row, times);
        while !seen.insert(number.to_bits()) {
            times += 1;
            number = hash(row, times);
        }
        row.push(number);
    }
}

/// A number in `[0, 1)` that any change of a row changes.
fn hash(row: &[f64], times: u64) -> f64 {
    let mixed = row
        .iter()
        .fold(times, |mixed, x| SplitMix(mixed ^ x.to_bits()).next_bits());
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Vec<f64>> {
        let row = |i: i32| vec![f64::from(i * 7 % 20), f64::from(i).exp(), f64::from(i % 3)];
        (0..20).map(row).collect()
    }

    #[test]
    fn every_recipe_has_its_features() {
        let with_quantiles = Recipe::WithQuantiles {
            rows_per_quantile: 10,
        };
        // Three columns, their quantiles, one direction, the fingerprint.
        for (recipe, width) in [(with_quantiles, 8), (Recipe::Power, 4), (Recipe::Plain, 4)] {
            for draws_in in [false, true] {
                let features = Features::fit(recipe, &rows(), draws_in);
                assert_eq!(features.width, width, "{recipe:?}");
                // Labelled rows and others are prepared alike.
                for (row, labelled) in rows().iter().zip(&features.labelled) {
                    assert_eq!(&features.apply(row), labelled);
                }
                let missing = features.apply(&[f64::NAN, 1.0, 2.0]);
                assert_eq!(missing[0].is_nan(), recipe != Recipe::Power, "{missing:?}");
            }
        }
    }

    #[test]
    fn equal_rows_are_told_apart() {
        let mut rows = vec![vec![1.0, 2.0], vec![1.0, 2.0], vec![2.0, 1.0]];
        fingerprint(&mut rows);
        let mut numbers: Vec<f64> = rows.iter().map(|row| row[2]).collect();
        assert_eq!(numbers[0], hash(&[1.0, 2.0], 0));
        numbers.sort_by(f64::total_cmp);
        numbers.dedup();
        assert_eq!(numbers.len(), 3);
        assert!(numbers.iter().all(|x| (0.0..1.0).contains(x)));
    }
}
