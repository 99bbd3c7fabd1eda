//! Which row sees which.

use burn::tensor::{Device, Int, Tensor};
use forge_nn::ops::AttentionMask;

/// Which row of a table sees which in attention over rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Neighbours {
    pub(super) mask: AttentionMask,
    /// So many rows, at the top, are there to be looked at only.
    pub(super) fixed: usize,
}

impl Neighbours {
    /// All rows see each other.
    pub(super) fn all() -> Self {
        Self::default()
    }

    /// All of `fixed + given` rows see the fixed ones, each given row itself besides. So nothing
    /// that a given row is computed from depends on the rows that are given with it.
    pub(super) fn fixed(fixed: usize, given: usize, device: &Device) -> Self {
        let n = fixed + given;
        let row = Tensor::<1, Int>::arange(0..n as i64, device);
        let query = row.clone().unsqueeze_dim::<2>(1).expand([n, n]);
        let key = row.unsqueeze_dim::<2>(0).expand([n, n]);
        let sees = key
            .clone()
            .lower_elem(fixed as i64)
            .bool_or(key.equal(query));
        Self {
            mask: AttentionMask::full(sees.reshape([1, 1, n, n])),
            fixed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_rows_see_the_fixed_ones_and_themselves() {
        let mask = Neighbours::fixed(2, 2, &Device::flex()).mask.full;
        let mask = mask.map(|mask| mask.int().into_data().iter::<i64>().collect::<Vec<_>>());
        #[rustfmt::skip]
        let expected = [
            1, 1, 0, 0,
            1, 1, 0, 0,
            1, 1, 1, 0,
            1, 1, 0, 1,
        ];
        assert_eq!(mask.as_deref(), Some(expected.as_slice()));
    }
}
