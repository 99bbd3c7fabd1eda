//! Columns as groups of numbers, normalised by the labelled rows.

use burn::tensor::{Bool, Tensor};

use super::labels::MISSING;

/// Normalised values are cut here.
const CLIP: f64 = 100.0;
/// Added to deviations.
const TINY: f64 = 1e-20;

/// Rows of a table, the labelled ones first.
pub(super) struct Cells {
    /// `[R + N, F]`.
    pub(super) x: Tensor<2>,
    /// True where there is a value, `[R + N, F]`; absent: everywhere.
    pub(super) present: Option<Tensor<2, Bool>>,
    pub(super) labelled: usize,
}

impl Cells {
    /// Every group of `size` columns as its values and the marks of those that are missing. Values
    /// are standardised by the labelled rows, cut at ±100 and scaled by `√(size / used)`, where
    /// `used` is the number of columns of the group that vary among labelled rows, at least 1. The
    /// last group is filled up with zeros.
    ///
    /// # Shapes
    /// - output: `[R + N, G, 2 · size]`
    pub(super) fn grouped(self, size: usize) -> Tensor<3> {
        let [rows, columns] = self.x.dims();
        let (groups, missing) = (
            columns.div_ceil(size),
            columns.next_multiple_of(size) - columns,
        );
        let grouped = |x: Tensor<2>| {
            let x = if missing > 0 {
                x.pad((0, missing, 0, 0), 0.0)
            } else {
                x
            };
            let rows = x.dims()[0];
            x.reshape([rows, groups, size])
        };
        let (x, marks) = self.filled();
        let x = standardised(x, self.labelled);
        let used = grouped(varies(x.clone().narrow(0, 0, self.labelled))).sum_dim(2);
        let scale = used.clamp_min(1.0).recip().mul_scalar(size as f64).sqrt();
        let x = grouped(x) * scale.expand([rows, groups, size]);
        Tensor::cat(vec![x, grouped(marks)], 2)
    }

    /// Missing values as the mean of their column's labelled rows, and where they are.
    fn filled(&self) -> (Tensor<2>, Tensor<2>) {
        let (x, dtype) = (self.x.clone(), self.x.dtype());
        let Some(present) = &self.present else {
            let marks = x.zeros_like();
            return (x, marks);
        };
        let missing = present.clone().bool_not();
        let x = x.mask_fill(missing.clone(), 0.0);
        let there = present.clone().float().cast(dtype);
        let count = there.narrow(0, 0, self.labelled).sum_dim(0).clamp_min(1.0);
        let mean = x.clone().narrow(0, 0, self.labelled).sum_dim(0) / count;
        let marks = missing.float().cast(dtype);
        let x = x + mean.expand(marks.dims()) * marks.clone();
        (x, marks * MISSING)
    }
}

/// By mean and unbiased deviation of the first `labelled` rows; of a single one, less its value.
fn standardised(x: Tensor<2>, labelled: usize) -> Tensor<2> {
    let shape = x.dims();
    let known = x.clone().narrow(0, 0, labelled);
    let mean = known.clone().mean_dim(0);
    let x = x - mean.clone().expand(shape);
    if labelled < 2 {
        return x.clamp(-CLIP, CLIP);
    }
    let apart = known - mean.expand([labelled, shape[1]]);
    let over = 1.0 / (labelled - 1) as f64;
    let variance = apart.square().sum_dim(0) * over;
    // The root has no gradient where nothing varies.
    let still = variance.clone().equal_elem(0.0);
    let deviation = variance.mask_fill(still.clone(), 1.0).sqrt();
    let deviation = deviation.mask_fill(still, 0.0) + TINY;
    (x / deviation.expand(shape)).clamp(-CLIP, CLIP)
}

/// 1 for columns whose rows are not all the same, `[1, F]`.
fn varies(known: Tensor<2>) -> Tensor<2> {
    let shape = known.dims();
    let first = known.clone().narrow(0, 0, 1).expand(shape);
    let differs = known.clone().not_equal(first);
    differs.float().cast(known.dtype()).max_dim(0)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn groups(present: Option<[[bool; 3]; 4]>) -> Vec<f64> {
        let device = Device::flex();
        let x = [
            [1.0, 5.0, 3.0],
            [2.0, 5.0, 9.0],
            [3.0, 5.0, 3.0],
            [1e9, 7.0, 5.0],
        ];
        let cells = Cells {
            x: Tensor::from_data(x, &device),
            present: present.map(|present| Tensor::from_data(present, &device)),
            labelled: 3,
        };
        let grouped = cells.grouped(2);
        assert_eq!(grouped.dims(), [4, 2, 4]);
        grouped.into_data().iter::<f64>().collect()
    }

    fn assert_close(found: &[f64], expected: &[f64]) {
        for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert!((found - expected).abs() < 1e-5, "{i}: {found} {expected}");
        }
    }

    /// A column that never varies does not count, and far values are cut.
    #[test]
    fn columns_are_standardised_by_labelled_rows() {
        let (root, third) = (2.0_f64.sqrt(), 1.0 / 3.0_f64.sqrt());
        let expected = [
            [-root, 0.0, 0.0, 0.0, -third * root, 0.0, 0.0, 0.0],
            [0.0, 0.0, 0.0, 0.0, 2.0 * third * root, 0.0, 0.0, 0.0],
            [root, 0.0, 0.0, 0.0, -third * root, 0.0, 0.0, 0.0],
            [100.0 * root, 100.0 * root, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        ];
        assert_close(&groups(None), &expected.concat());
    }

    /// The last column's 9 is missing: it becomes 3, and nothing varies there.
    #[test]
    fn missing_values_are_the_mean_and_marked() {
        let mut present = [[true; 3]; 4];
        present[1][2] = false;
        let found = groups(Some(present));
        let marked = |row: usize| found[row * 8 + 6];
        assert_eq!([marked(0), marked(1), marked(2)], [0.0, -2.0, 0.0]);
        assert_eq!([found[4], found[12], found[20]], [0.0; 3]);
    }
}
