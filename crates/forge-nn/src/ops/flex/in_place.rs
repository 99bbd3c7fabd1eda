//! Arithmetic on slices in place.

use super::Real;

/// `x *= by`.
#[inline(always)]
pub(crate) fn times<E: Real>(x: &mut [E], by: &[E]) {
    x.iter_mut().zip(by).for_each(|(x, &by)| *x *= by);
}

/// `x += other`.
#[inline(always)]
pub(crate) fn add<E: Real>(x: &mut [E], other: &[E]) {
    x.iter_mut().zip(other).for_each(|(x, &other)| *x += other);
}

/// Adds every row to `sums`.
#[inline(always)]
pub(crate) fn add_rows<E: Real>(sums: &mut [E], rows: &[E]) {
    rows.chunks_exact(sums.len()).for_each(|row| add(sums, row));
}

/// Each row times its factor.
#[inline(always)]
pub(crate) fn scale_rows<E: Real>(rows: &mut [E], factors: &[E]) {
    let width = rows.len() / factors.len();
    for (row, &factor) in rows.chunks_exact_mut(width).zip(factors) {
        row.iter_mut().for_each(|x| *x *= factor);
    }
}
