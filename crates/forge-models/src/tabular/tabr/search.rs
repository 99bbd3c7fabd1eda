//! Exact search for the nearest candidates.

use burn::tensor::Tensor;
use forge_nn::ForgeError;

use crate::tabular::candidates::{ROWS_AT_ONCE, squared_distances};

/// For every query the places of its nearest candidates, nearest first.
pub(super) struct Nearest {
    /// Row by row, `k` each.
    pub(super) places: Vec<usize>,
    /// So many each: as many as were asked for, or all there are.
    pub(super) k: usize,
}

/// A candidate by distance, then by place: which of equal ones is taken does not depend on the rows
/// beside.
type Found = (f32, usize);

fn before(a: &Found, b: &Found) -> std::cmp::Ordering {
    a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
}

/// The `k` candidates with the least squared distance to each query, by comparing all, some
/// thousand candidates at a time. With `own`, the first candidates are the queries themselves, and
/// none finds itself. No gradient is recorded.
///
/// # Shapes
/// - queries: `[B, D]`, keys: `[M, D]`
///
/// # Errors
/// A device error if distances cannot be read back.
pub(super) fn nearest(
    queries: &Tensor<2>,
    keys: &Tensor<2>,
    k: usize,
    own: bool,
) -> Result<Nearest, ForgeError> {
    let queries = queries.clone().detach().without_autodiff();
    let keys = keys.clone().detach().without_autodiff();
    // Distances do not change with the origin; near it their rounding is least.
    let origin = keys.clone().mean_dim(0);
    let (queries, keys) = (queries - origin.clone(), keys - origin);
    let (rows, n) = (queries.dims()[0], keys.dims()[0]);
    let k = k.min(n - usize::from(own));
    let mut best: Vec<Vec<Found>> = vec![Vec::with_capacity(k); rows];
    let mut among: Vec<Found> = vec![];
    for start in (0..n).step_by(ROWS_AT_ONCE) {
        let length = ROWS_AT_ONCE.min(n - start);
        let part = keys.clone().narrow(0, start, length);
        let distances = squared_distances(queries.clone(), part)
            .try_into_vec_as::<f32>()
            .map_err(|e| ForgeError::device(format!("distances cannot be read back: {e}")))?;
        for (row, (best, distances)) in best.iter_mut().zip(distances.chunks(length)).enumerate() {
            let places = distances.iter().zip(start..);
            let others = places.filter(|(_, place)| !(own && *place == row));
            among.clear();
            among.append(best);
            among.extend(others.map(|(distance, place)| (*distance, place)));
            if among.len() > k && k > 0 {
                among.select_nth_unstable_by(k - 1, before);
            }
            best.extend(&among[..k.min(among.len())]);
        }
    }
    let mut places = Vec::with_capacity(rows * k);
    for mut found in best {
        found.sort_unstable_by(before);
        places.extend(found.into_iter().map(|(_, place)| place));
    }
    Ok(Nearest { places, k })
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Distribution, TensorData};

    use super::*;

    /// Against all distances, sorted; over more candidates than are compared at once.
    #[test]
    fn the_search_is_exact() -> Result<(), ForgeError> {
        let device = Device::flex();
        device.seed(3);
        let n = ROWS_AT_ONCE + 50;
        let keys = Tensor::<2>::random([n, 4], Distribution::Normal(0.0, 1.0), &device);
        let values: Vec<f64> = keys.clone().into_data().iter().collect();
        let queries = keys.clone().narrow(0, 0, 3);
        for own in [false, true] {
            let found = nearest(&queries, &keys, 5, own)?;
            for row in 0..3 {
                let distance = |place: usize| -> f64 {
                    let pair = (0..4).map(|d| values[row * 4 + d] - values[place * 4 + d]);
                    pair.map(|difference| difference * difference).sum()
                };
                let mut all: Vec<usize> = (0..n).filter(|place| !own || *place != row).collect();
                all.sort_by(|a, b| distance(*a).total_cmp(&distance(*b)));
                assert_eq!(
                    found.places[row * 5..][..5],
                    all[..5],
                    "own {own}, row {row}"
                );
            }
        }
        Ok(())
    }

    #[test]
    fn of_equal_candidates_the_first_are_taken_and_of_few_all() -> Result<(), ForgeError> {
        let device = Device::flex();
        let keys = Tensor::<2>::ones([7, 2], &device);
        let query = Tensor::<2>::zeros([1, 2], &device);
        let found = nearest(&query, &keys, 3, false)?;
        assert_eq!((found.places, found.k), (vec![0, 1, 2], 3));
        let keys = Tensor::<2>::from_data(TensorData::from([[2.0], [1.0]]), &device);
        let found = nearest(&keys, &keys, 96, true)?;
        assert_eq!((found.places, found.k), (vec![1, 0], 1));
        Ok(())
    }
}
