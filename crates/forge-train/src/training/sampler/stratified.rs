//! Batches that are each like the whole.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use forge_nn::ForgeError;
use serde_json::{Value, json};

use super::Sampler;
use super::cut::Cut;
use super::epoch_order::EpochOrder;
use super::members::{Members, members};
use super::uniform::{below, generator, shuffle};
use crate::checkpoint::RunPart;

/// All rows once per epoch, in random order, but each batch with (nearly) the same part of every
/// stratum: its count differs from the proportional one by less than 2. For rare classes, and for
/// targets with long tails.
///
/// Which stratum comes when is fixed but for a random start per epoch; which of its rows, is random.
#[derive(Debug, Clone)]
pub struct Stratified {
    strata: Members,
    /// The stratum of every place in an epoch.
    pattern: Vec<usize>,
    batch_size: usize,
    seed: u64,
    order: EpochOrder,
}

impl Stratified {
    /// `strata` has the number of every training row's stratum: `0..n_strata`, none of them without
    /// a row. A batch size of 0 counts as 1.
    ///
    /// # Errors
    /// A config error naming a stratum without rows, or the row of a number that is none.
    pub fn new(
        strata: &[usize],
        n_strata: usize,
        batch_size: usize,
        seed: u64,
    ) -> Result<Self, ForgeError> {
        let strata = members("sampler.strata", strata, n_strata)?;
        let counts: Vec<usize> = strata.iter().map(<[usize]>::len).collect();
        Ok(Self {
            pattern: evenly(&counts),
            strata,
            batch_size,
            seed,
            order: EpochOrder::default(),
        })
    }

    fn cut(&self) -> Cut {
        Cut::new(self.pattern.len(), self.batch_size)
    }
}

/// A sequence in which stratum `s` comes `counts[s]` times, and after any number of places less
/// than one time more or less often than in proportion.
///
/// Each time has a window, from where it is not early to where it is late; of those that may come,
/// the one that is late first comes (earliest deadline first, which finds such a sequence where
/// there is one, and there always is: Baruah et al. 1996).
fn evenly(counts: &[usize]) -> Vec<usize> {
    let total: usize = counts.iter().sum();
    // Window `i` of a stratum that comes `n` times.
    let release = |i: usize, n: usize| (i as u128 * total as u128 / n as u128) as usize;
    let deadline =
        |i: usize, n: usize| ((i + 1) as u128 * total as u128).div_ceil(n as u128) as usize;
    let next = |s: usize, i: usize| (i < counts[s]).then(|| Reverse((release(i, counts[s]), s, i)));
    let mut waiting: BinaryHeap<_> = (0..counts.len()).filter_map(|s| next(s, 0)).collect();
    let mut ready = BinaryHeap::new();
    let mut sequence = Vec::with_capacity(total);
    while sequence.len() < total {
        while let Some(&Reverse((at, s, i))) = waiting.peek()
            && at <= sequence.len()
        {
            waiting.pop();
            ready.push(Reverse((deadline(i, counts[s]), s, i)));
        }
        let Some(Reverse((_, s, i))) = ready.pop() else {
            break;
        };
        sequence.push(s);
        waiting.extend(next(s, i + 1));
    }
    sequence
}

fn draw(strata: &Members, pattern: &[usize], seed: u64, epoch: usize) -> Vec<usize> {
    let mut rng = generator("volatilityforge trainer stratified order", seed, epoch);
    let mut shuffled: Vec<_> = strata
        .iter()
        .map(|rows| {
            let mut rows = rows.to_vec();
            shuffle(&mut rng, &mut rows);
            rows.into_iter()
        })
        .collect();
    let start = below(&mut rng, pattern.len().max(1) as u64) as usize;
    let places = pattern.iter().cycle().skip(start).take(pattern.len());
    places.filter_map(|s| shuffled[*s].next()).collect()
}

impl RunPart for Stratified {
    fn name(&self) -> &str {
        "sampler"
    }

    fn config(&self) -> Value {
        json!({
            "name": "stratified",
            "strata": self.strata.hash(),
            "batch_size": self.batch_size,
            "seed": self.seed,
        })
    }
}

impl Sampler for Stratified {
    fn batches(&self) -> usize {
        self.cut().count()
    }

    fn rows(&mut self, epoch: usize, batch: usize) -> Result<Vec<usize>, ForgeError> {
        let range = self.cut().batch(batch);
        let draw = || draw(&self.strata, &self.pattern, self.seed, epoch);
        Ok(self.order.of(epoch, draw)[range].to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stratum_is_never_one_ahead_or_behind() {
        for counts in [
            vec![1],
            vec![1, 1],
            vec![7, 1],
            vec![90, 9, 1],
            vec![5, 5, 5, 5],
            vec![3, 17, 29, 1, 1, 50],
            (1..40).collect(),
        ] {
            let total: usize = counts.iter().sum();
            let sequence = evenly(&counts);
            assert_eq!(sequence.len(), total, "{counts:?}");
            let mut so_far = vec![0_usize; counts.len()];
            for (place, s) in sequence.into_iter().enumerate() {
                so_far[s] += 1;
                for (found, n) in so_far.iter().zip(&counts) {
                    let fair = ((place + 1) * n) as f64 / total as f64;
                    assert!((*found as f64 - fair).abs() < 1.0, "{counts:?} at {place}");
                }
            }
        }
    }
}
