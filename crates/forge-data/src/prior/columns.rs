//! From nodes to the columns that a network sees.

use rand::{Rng, RngExt};
use rand_distr::{Distribution, Exp1};

use super::classes::{self, Boundaries};

/// Standardised values are cut here.
const FARTHEST: f64 = 5.0;
/// Mean of the largest number of categories of a feature.
const CATEGORIES: f64 = 10.0;

/// Mean 0 and deviation 1 over the first `labelled` values, cut far outside; none where these do not
/// vary or something is not finite.
pub(super) fn standardised(values: &mut [f64], labelled: usize) -> Option<()> {
    let known = &values[..labelled];
    let mean = known.iter().sum::<f64>() / labelled as f64;
    let variance = known.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / labelled as f64;
    let deviation = variance.sqrt();
    // Not a number is not above anything. A deviation of rounding errors is none.
    if !(deviation > 1e-9 * mean.abs() && deviation > 1e-12 && deviation.is_finite()) {
        return None;
    }
    for value in values.iter_mut() {
        *value = ((*value - mean) / deviation).clamp(-FARTHEST, FARTHEST);
    }
    values.iter().all(|x| x.is_finite()).then_some(())
}

/// Some columns of `[rows, n]` as codes of categories.
pub(super) fn categorised(rng: &mut impl Rng, columns: &mut [Vec<f64>]) {
    let part = rng.random::<f64>();
    for column in columns {
        let largest: f64 = CATEGORIES * Distribution::<f64>::sample(&Exp1, rng);
        let n = classes::count(rng, largest.round().max(2.0) as usize);
        let codes = classes::cut(rng, column, n, &Boundaries::Rank, 0.3);
        if rng.random::<f64>() < part {
            *column = codes.into_iter().map(|code| code as f64).collect();
        }
    }
}
