//! Small matrices in the other order.

use super::Real;

/// `[R, C]` as `[C, R]`: weights by channel as rows over all channels, and their gradients back.
pub(crate) fn transposed<E: Real>(values: &[E], columns: usize) -> Vec<E> {
    let column = |c| values.iter().skip(c).step_by(columns);
    (0..columns).flat_map(column).copied().collect()
}
