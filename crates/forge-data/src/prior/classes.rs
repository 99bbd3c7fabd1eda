//! Numbers cut into classes.

use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

use super::law::normal;

/// Two, or, in one half of the cases, up to `most` (`class_sampler_f`).
pub(super) fn count(rng: &mut impl Rng, most: usize) -> usize {
    match rng.random::<bool>() {
        true => rng.random_range(2..=most.max(2)),
        false => 2,
    }
}

/// Where one class ends and the next begins.
pub(super) enum Boundaries {
    /// At values that rows have, whatever the distribution.
    Rank,
    /// At normal numbers; for standardised values.
    Value,
}

/// A class number in `0..n` for each value; which class is which is random but with probability
/// `ordered`.
pub(super) fn cut(
    rng: &mut impl Rng,
    values: &[f64],
    n: usize,
    boundaries: &Boundaries,
    ordered: f64,
) -> Vec<usize> {
    let mut boundary = || match boundaries {
        Boundaries::Rank => values[rng.random_range(0..values.len())],
        Boundaries::Value => normal(rng),
    };
    let boundaries: Vec<f64> = (1..n).map(|_| boundary()).collect();
    let mut names: Vec<usize> = (0..n).collect();
    if rng.random::<f64>() >= ordered {
        names.shuffle(rng);
    }
    if rng.random::<bool>() {
        names.reverse();
    }
    let class = |x: &f64| names[boundaries.iter().filter(|boundary| x > *boundary).count()];
    values.iter().map(class).collect()
}

/// The same classes numbered without gaps, turned by a random number of places.
pub(super) fn renumbered(rng: &mut impl Rng, classes: &[usize]) -> (Vec<usize>, usize) {
    let mut there = classes.to_vec();
    there.sort_unstable();
    there.dedup();
    let turn = rng.random_range(0..there.len().max(1));
    let number = |class: &usize| {
        let at = there.partition_point(|other| other < class);
        (at + turn) % there.len()
    };
    (classes.iter().map(number).collect(), there.len())
}
