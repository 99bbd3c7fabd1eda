//! The arithmetic of a tile in the backward pass, row by row.

use crate::ops::flex::row::{map, reduce};
use crate::ops::flex::simd::multiversion;

multiversion! {
    pub(super) fn dot<E>(a: &[E], b: &[E]) -> E {
        reduce(a, b, |a, b| a * b)
    }
}

multiversion! {
    /// Scores to weights, given maximum and inverse sum of each row.
    pub(super) fn normalise<E>(scores: &mut [E], statistics: &[E]) {
        let columns = 2 * scores.len() / statistics.len();
        for (row, numbers) in scores.chunks_exact_mut(columns).zip(statistics.chunks_exact(2)) {
            let (highest, inverse) = (numbers[0], numbers[1]);
            map(row, |score| (score - highest).exp() * inverse);
        }
    }
}

multiversion! {
    /// `dscores` holds the gradients of the weights and gets those of the scores:
    /// `ds = w (dw - Σ w dw)`, where the sum is that of output times its gradient.
    pub(super) fn score_gradients<E>(weights: &[E], dscores: &mut [E], means: &[E]) {
        let columns = weights.len() / means.len();
        let rows = weights.chunks_exact(columns).zip(dscores.chunks_exact_mut(columns));
        for ((weights, dscores), &mean) in rows.zip(means) {
            for (d, &weight) in dscores.iter_mut().zip(weights) {
                *d = weight * (*d - mean);
            }
        }
    }
}
