//! Further columns that are directions of the largest spread.

use nalgebra::{DMatrix, SymmetricEigen};

/// The first singular vectors of a table whose columns are divided by their deviation: scikit-learn's
/// `StandardScaler(with_mean=False)` and `TruncatedSVD`.
#[derive(Debug, Clone)]
pub(in crate::tabular) struct SingularVectors {
    /// Of every column: what stands for a missing value, and what values are divided by.
    columns: Vec<(f64, f64)>,
    /// Each of as many numbers as there are columns.
    vectors: Vec<Vec<f64>>,
}

impl SingularVectors {
    /// The first `count` of them, the largest first; each such that its largest number is above 0.
    pub(in crate::tabular) fn fit(rows: &[Vec<f64>], count: usize) -> Self {
        let width = rows.first().map_or(0, Vec::len);
        let column = |j: usize| {
            let (mean, deviation) = super::moments(rows.iter().map(|row| row[j]), 0);
            (mean, if deviation > 0.0 { deviation } else { 1.0 })
        };
        let mut this = Self {
            columns: (0..width).map(column).collect(),
            vectors: vec![],
        };
        let scaled: Vec<f64> = rows.iter().flat_map(|row| this.scaled(row)).collect();
        let table = DMatrix::from_row_slice(rows.len(), width, &scaled);
        let eigen = SymmetricEigen::new(table.tr_mul(&table));
        let mut order: Vec<usize> = (0..width).collect();
        order.sort_by(|a, b| eigen.eigenvalues[*b].total_cmp(&eigen.eigenvalues[*a]));
        let vector =
            |j: &usize| {
                let vector: Vec<f64> = eigen.eigenvectors.column(*j).iter().copied().collect();
                let largest = vector.iter().copied().fold(0.0, |largest: f64, x| {
                    if x.abs() > largest.abs() { x } else { largest }
                });
                vector.iter().map(|x| x * largest.signum()).collect()
            };
        this.vectors = order.iter().take(count).map(vector).collect();
        this
    }

    /// A row along the vectors.
    pub(in crate::tabular) fn apply(&self, row: &[f64]) -> Vec<f64> {
        let row: Vec<f64> = self.scaled(row).collect();
        let along = |vector: &Vec<f64>| vector.iter().zip(&row).map(|(v, x)| v * x).sum();
        self.vectors.iter().map(along).collect()
    }

    fn scaled<'a>(&'a self, row: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
        let each = row.iter().zip(&self.columns);
        each.map(|(x, (mean, scale))| if x.is_nan() { mean / scale } else { x / scale })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table through scikit-learn (`steps.py`), then two rows that were not there when it was
    /// fitted.
    #[test]
    fn rows_lie_along_the_vectors_of_scikit_learn() {
        let fixture: serde_json::Value =
            serde_json::from_str(include_str!("steps.json")).unwrap_or_default();
        let rows = |name: &str| -> Vec<Vec<f64>> {
            let rows = fixture["svd"][name].as_array().into_iter().flatten();
            let numbers = |row: &serde_json::Value| -> Vec<f64> {
                let numbers = row.as_array().into_iter().flatten();
                numbers.filter_map(serde_json::Value::as_f64).collect()
            };
            rows.map(numbers).collect()
        };
        let (table, expected) = (rows("table"), rows("along"));
        let vectors = SingularVectors::fit(&table, 2);
        let all = [table, rows("more")].concat();
        assert_eq!((all.len(), expected.len()), (15, 15));
        for (row, expected) in all.iter().zip(expected) {
            for (found, expected) in vectors.apply(row).iter().zip(expected) {
                assert!((found - expected).abs() < 1e-8, "{found} {expected}");
            }
        }
        // A missing value counts as its column's mean.
        let missing = vectors.apply(&[f64::NAN, 0.0, 0.0, 0.0]);
        assert!(missing.iter().all(|x| x.is_finite()));
    }
}
