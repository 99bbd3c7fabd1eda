//! How far a reconstruction is off.

use burn::tensor::Tensor;

/// Beside a column's variance, what counts as none: a constant column in f32.
const CONSTANT: f64 = 1e-12;
/// The package's `eps`: rows without a hidden number cost nothing.
const EPS: f64 = 1e-9;

/// The squared error of the marked numbers, each in units of its column's variance in the batch,
/// averaged over the row's marked numbers, then over rows.
///
/// ```text
/// mean over rows b of  Σ_j S_bj ((x̂_bj - x_bj)² / v_j) / (Σ_j S_bj + 10⁻⁹)
/// ```
///
/// `v_j` is the unbiased variance; of a constant column, the size of its mean; of a column of
/// zeros, 1. The package's `UnsupervisedLoss`; the paper (arXiv 1908.07442 v5, "Tabular
/// self-supervised learning") sums instead of averaging and normalises by the standard deviation
/// inside the square, which is the same. The package takes the mean itself for a constant column:
/// were it negative, a larger error would cost less.
///
/// # Shapes
/// - found, expected, marked: `[B, E]`
pub(super) fn reconstruction_loss(
    found: Tensor<2>,
    expected: Tensor<2>,
    marked: Tensor<2>,
) -> Tensor<1> {
    let rows = expected.dims()[0];
    let mean = expected.clone().mean_dim(0);
    let centred = expected.clone() - mean.clone();
    // Times the reciprocal: Burn's gradient of a division by a number rounds it to f32.
    let freedom = 1.0 / rows.saturating_sub(1).max(1) as f64;
    let variance = centred.square().sum_dim(0) * freedom;
    let size = mean.abs();
    let zero = size.clone().equal_elem(0.0);
    let constant = variance
        .clone()
        .lower_equal(size.clone().square() * CONSTANT);
    let scale = variance.mask_where(constant, size.mask_fill(zero, 1.0));
    let errors = ((found - expected) * marked.clone()).square() / scale;
    let numbers = marked.sum_dim(1) + EPS;
    (errors.sum_dim(1) / numbers).mean()
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn loss(found: [[f32; 3]; 2], marked: [[f32; 3]; 2]) -> f32 {
        let device = Device::flex();
        // A column of variance 2, a constant one below zero, and one of zeros.
        let expected = [[1.0, -4.0, 0.0], [3.0, -4.0, 0.0]];
        let tensor = |rows: [[f32; 3]; 2]| Tensor::<2>::from_data(rows, &device);
        reconstruction_loss(tensor(found), tensor(expected), tensor(marked)).into_scalar()
    }

    #[test]
    fn errors_are_in_units_of_their_column() {
        let found = [[2.0, -2.0, 3.0], [3.0, -4.0, 0.0]];
        let close = |found: f32, expected: f32| assert!((found - expected).abs() < 1e-6, "{found}");
        // 1 / 2, 4 / 4 and 9 / 1; of one row of two.
        close(loss(found, [[1.0, 0.0, 0.0], [0.0; 3]]), 0.25);
        close(loss(found, [[0.0, 1.0, 0.0], [0.0; 3]]), 0.5);
        close(loss(found, [[0.0, 0.0, 1.0], [0.0; 3]]), 4.5);
        close(loss(found, [[1.0, 1.0, 1.0], [0.0; 3]]), 1.75);
        // Nothing is marked, or what is marked is right.
        close(loss(found, [[0.0; 3]; 2]), 0.0);
        close(loss(found, [[0.0; 3], [1.0; 3]]), 0.0);
    }
}
