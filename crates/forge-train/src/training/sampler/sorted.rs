//! Batches of rows that are next to each other in some order.

use forge_nn::{ForgeError, check};
use serde_json::{Value, json};

use super::Sampler;
use super::cut::Cut;
use super::epoch_order::EpochOrder;
use super::uniform::{generator, shuffle};
use crate::checkpoint::RunPart;

/// Batches of rows that are next to each other in time. Rows of one time keep the order they have.
#[derive(Debug, Clone)]
pub struct TimeOrdered {
    sorted: Vec<usize>,
    batch_size: usize,
    /// The seed of the batches' order; absent: that of time.
    shuffled: Option<u64>,
    order: EpochOrder,
}

impl TimeOrdered {
    /// One time per training row: any number that rises with it. A batch size of 0 counts as 1.
    ///
    /// # Errors
    /// A config error naming the first time that is not finite.
    pub fn new(times: &[f64], batch_size: usize) -> Result<Self, ForgeError> {
        Ok(Self {
            sorted: sort("sampler.times", times)?,
            batch_size,
            shuffled: None,
            order: EpochOrder::default(),
        })
    }

    /// With the batches in an order that is random, another in each epoch; in a batch the rows stay
    /// in the order of time.
    #[must_use]
    pub fn with_shuffled_batches(mut self, seed: u64) -> Self {
        self.shuffled = Some(seed);
        self
    }

    fn cut(&self) -> Cut {
        Cut::new(self.sorted.len(), self.batch_size)
    }
}

impl RunPart for TimeOrdered {
    fn name(&self) -> &str {
        "sampler"
    }

    fn config(&self) -> Value {
        json!({
            "name": "time_ordered",
            "order": hash(&self.sorted),
            "batch_size": self.batch_size,
            "seed": self.shuffled,
        })
    }
}

impl Sampler for TimeOrdered {
    fn batches(&self) -> usize {
        self.cut().count()
    }

    fn rows(&mut self, epoch: usize, batch: usize) -> Result<Vec<usize>, ForgeError> {
        let cut = self.cut();
        let batch = match self.shuffled {
            None => batch,
            Some(seed) => {
                let draw = || permutation("time-ordered batches", cut.count(), seed, epoch);
                let order = self.order.of(epoch, draw);
                order.get(batch).copied().unwrap_or(batch)
            }
        };
        Ok(self.sorted[cut.batch(batch)].to_vec())
    }
}

/// Batches of rows of nearly equal length, so that padding to the longest wastes little: rows are
/// sorted by length, those of a bucket are shuffled, and so are the batches.
#[derive(Debug, Clone)]
pub struct Bucketed {
    sorted: Vec<usize>,
    batch_size: usize,
    /// Rows of a bucket.
    bucket: usize,
    seed: u64,
    rows: EpochOrder,
    batches: EpochOrder,
}

impl Bucketed {
    /// One length per training row, and how many batches a bucket has, at least 1. A batch size of
    /// 0 counts as 1.
    ///
    /// # Errors
    /// A config error naming the first length that is not finite, or a bucket without batches.
    pub fn new(
        lengths: &[f64],
        batches_per_bucket: usize,
        batch_size: usize,
        seed: u64,
    ) -> Result<Self, ForgeError> {
        check::at_least_one("sampler.batches_per_bucket", batches_per_bucket)?;
        Ok(Self {
            sorted: sort("sampler.lengths", lengths)?,
            batch_size,
            bucket: batch_size.max(1).saturating_mul(batches_per_bucket),
            seed,
            rows: EpochOrder::default(),
            batches: EpochOrder::default(),
        })
    }

    fn cut(&self) -> Cut {
        Cut::new(self.sorted.len(), self.batch_size)
    }
}

impl RunPart for Bucketed {
    fn name(&self) -> &str {
        "sampler"
    }

    fn config(&self) -> Value {
        json!({
            "name": "buckets",
            "order": hash(&self.sorted),
            "bucket": self.bucket,
            "batch_size": self.batch_size,
            "seed": self.seed,
        })
    }
}

impl Sampler for Bucketed {
    fn batches(&self) -> usize {
        self.cut().count()
    }

    fn rows(&mut self, epoch: usize, batch: usize) -> Result<Vec<usize>, ForgeError> {
        let (cut, seed) = (self.cut(), self.seed);
        let batches = self.batches.of(epoch, || {
            permutation("bucketed batches", cut.count(), seed, epoch)
        });
        let batch = batches.get(batch).copied().unwrap_or(batch);
        let rows = self.rows.of(epoch, || {
            let mut rows = self.sorted.clone();
            let mut rng = generator("volatilityforge trainer bucketed rows", seed, epoch);
            rows.chunks_mut(self.bucket)
                .for_each(|bucket| shuffle(&mut rng, bucket));
            rows
        });
        Ok(rows[cut.batch(batch)].to_vec())
    }
}

/// Row numbers in the order of their keys.
fn sort(field: &str, keys: &[f64]) -> Result<Vec<usize>, ForgeError> {
    if let Some(row) = keys.iter().position(|key| !key.is_finite()) {
        let field = format!("{field}[{row}]");
        return Err(ForgeError::config(&field, keys[row], "finite"));
    }
    let mut rows: Vec<usize> = (0..keys.len()).collect();
    rows.sort_by(|a, b| keys[*a].total_cmp(&keys[*b]));
    Ok(rows)
}

fn permutation(purpose: &str, n: usize, seed: u64, epoch: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    let purpose = format!("volatilityforge trainer {purpose}");
    shuffle(&mut generator(&purpose, seed, epoch), &mut order);
    order
}

fn hash(rows: &[usize]) -> String {
    let mut hasher = blake3::Hasher::new();
    for row in rows {
        hasher.update(&(*row as u64).to_le_bytes());
    }
    hasher.finalize().to_hex().to_string()
}
