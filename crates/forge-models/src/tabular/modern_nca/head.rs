//! The mean of the candidates' labels, weighed by their distance.

use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Tensor};

use crate::tabular::candidates::{ROWS_AT_ONCE, squared_distances};

/// Below this two rows count as equal: the root has no slope at 0.
const SMALLEST: f64 = 1e-10;

/// Candidates and what each is worth.
pub(super) struct Candidates {
    /// `[M, D]`
    pub(super) keys: Tensor<2>,
    /// `[M, W]`
    pub(super) labels: Tensor<2>,
}

/// `Σ_j softmax_j(-|q - k_j| / temperature) · label_j` over all candidates.
///
/// # Shapes
/// - queries: `[B, D]`
/// - excluded: `[B, M]`, true for candidates that do not count
/// - output: `[B, W]`
pub(super) fn weighted_labels(
    queries: Tensor<2>,
    candidates: Candidates,
    excluded: Option<Tensor<2, Bool>>,
    temperature: f64,
) -> Tensor<2> {
    let Candidates { keys, labels } = candidates;
    // Distances do not change with the origin; near it their rounding is least.
    let origin = keys.clone().detach().mean_dim(0);
    let (queries, keys) = (queries - origin.clone(), keys - origin);
    let n = keys.dims()[0];
    if queries.device().is_autodiff() || n <= ROWS_AT_ONCE {
        let scores = scores(queries, keys, excluded, temperature);
        return softmax(scores, 1).matmul(labels);
    }
    // The same sum in parts, so that memory does not grow with the candidates: of each part the
    // largest score, and sums relative to the largest so far.
    let mut sums: Option<(Tensor<2>, Tensor<2>, Tensor<2>)> = None;
    for start in (0..n).step_by(ROWS_AT_ONCE) {
        let length = ROWS_AT_ONCE.min(n - start);
        let excluded = excluded.clone().map(|mask| mask.narrow(1, start, length));
        let keys = keys.clone().narrow(0, start, length);
        let scores = scores(queries.clone(), keys, excluded, temperature);
        let labels = labels.clone().narrow(0, start, length);
        let largest = scores.clone().max_dim(1);
        let largest = match &sums {
            Some((before, ..)) => before.clone().max_pair(largest),
            None => largest,
        };
        let weights = (scores - largest.clone()).exp();
        let (mut weight, mut label) = (weights.clone().sum_dim(1), weights.matmul(labels));
        if let Some((before, weight_before, label_before)) = sums {
            let shrink = (before - largest.clone()).exp();
            weight = weight + weight_before * shrink.clone();
            label = label + label_before * shrink;
        }
        sums = Some((largest, weight, label));
    }
    match sums {
        Some((_, weight, label)) => label / weight,
        None => panic!("no candidate to look at"),
    }
}

/// `-|q - k| / temperature`, and minus infinity where a candidate does not count.
fn scores(
    queries: Tensor<2>,
    keys: Tensor<2>,
    excluded: Option<Tensor<2, Bool>>,
    temperature: f64,
) -> Tensor<2> {
    let squared = squared_distances(queries, keys).clamp_min(SMALLEST);
    let scores = squared.sqrt() * (-1.0 / temperature);
    match excluded {
        Some(excluded) => scores.mask_fill(excluded, f64::NEG_INFINITY),
        None => scores,
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Distribution, Tolerance};

    use super::*;

    /// More candidates than are looked at at once, by the sum in parts and by softmax.
    #[test]
    fn the_sum_in_parts_is_the_sum() {
        let device = Device::flex();
        device.seed(1);
        let random = |shape| Tensor::<2>::random(shape, Distribution::Normal(0.0, 3.0), &device);
        let (queries, keys) = (random([5, 3]), random([ROWS_AT_ONCE * 2 + 7, 3]));
        let labels = random([ROWS_AT_ONCE * 2 + 7, 2]);
        let run = |turn: fn(Tensor<2>) -> Tensor<2>| {
            let candidates = Candidates {
                keys: turn(keys.clone()),
                labels: turn(labels.clone()),
            };
            weighted_labels(turn(queries.clone()), candidates, None, 0.1).into_data()
        };
        let whole = run(Tensor::autodiff);
        // Distances are rounded about the mean of the keys, which differs, and divided by 0.1.
        run(|x| x).assert_approx_eq::<f32>(&whole, Tolerance::absolute(1e-4));
    }

    /// Far candidates: the exponential of each score alone is 0.
    #[test]
    fn far_candidates_count_by_their_distance_to_each_other() {
        let device = Device::flex();
        let n = ROWS_AT_ONCE + 1;
        let far = Tensor::<2>::ones([n, 1], &device) * 1e4;
        let labels = Tensor::<2>::ones([n, 1], &device) * 7.0;
        let candidates = Candidates { keys: far, labels };
        let query = Tensor::<2>::zeros([1, 1], &device);
        let y = weighted_labels(query, candidates, None, 1.0);
        assert!((y.into_scalar::<f32>() - 7.0).abs() < 1e-4);
    }

    #[test]
    fn equal_rows_have_finite_gradients() {
        let device = Device::flex().autodiff();
        let query = Tensor::<2>::ones([1, 2], &device).require_grad();
        let candidates = Candidates {
            keys: Tensor::from_data([[1.0, 1.0], [2.0, 1.0]], &device),
            labels: Tensor::from_data([[1.0], [0.0]], &device),
        };
        let y = weighted_labels(query.clone(), candidates, None, 1.0);
        let gradients = y.sum().backward();
        let gradient = query.grad(&gradients).map(Tensor::into_data);
        let finite = gradient.is_some_and(|g| g.iter::<f64>().all(f64::is_finite));
        assert!(finite);
    }
}
