//! Batches of whole groups.

use forge_nn::{ForgeError, check};
use serde_json::{Value, json};

use super::Sampler;
use super::cut::Cut;
use super::epoch_order::EpochOrder;
use super::members::Members;
use super::uniform::{generator, shuffle};
use crate::checkpoint::RunPart;

/// Batches of whole groups: all rows of one day, one asset, one query. Every group comes once per
/// epoch, in random order; the rows of a group come in the order they have.
///
/// A last batch of one group is joined to the one before it.
#[derive(Debug, Clone)]
pub struct Grouped {
    groups: Members,
    per_batch: usize,
    seed: u64,
    order: EpochOrder,
}

impl Grouped {
    /// Groups of row numbers, `per_batch` of them in a batch, at least 1.
    ///
    /// # Errors
    /// A config error naming a group without rows, or one of a single row where it would be a
    /// batch by itself.
    pub fn new(groups: Vec<Vec<usize>>, per_batch: usize, seed: u64) -> Result<Self, ForgeError> {
        check::at_least_one("sampler.per_batch", per_batch)?;
        let groups = Members::new("sampler.groups", groups)?;
        if let Some(single) = groups.iter().position(|rows| rows.len() == 1)
            && per_batch == 1
            && groups.n_rows() > 1
        {
            let allowed =
                format!("2 or more: group {single} has one row, which is no batch by itself");
            return Err(ForgeError::config("sampler.per_batch", per_batch, allowed));
        }
        Ok(Self {
            groups,
            per_batch,
            seed,
            order: EpochOrder::default(),
        })
    }

    fn cut(&self) -> Cut {
        Cut::new(self.groups.len(), self.per_batch)
    }
}

impl RunPart for Grouped {
    fn name(&self) -> &str {
        "sampler"
    }

    fn config(&self) -> Value {
        json!({
            "name": "groups",
            "groups": self.groups.hash(),
            "per_batch": self.per_batch,
            "seed": self.seed,
        })
    }
}

impl Sampler for Grouped {
    fn batches(&self) -> usize {
        self.cut().count()
    }

    fn rows(&mut self, epoch: usize, batch: usize) -> Result<Vec<usize>, ForgeError> {
        let range = self.cut().batch(batch);
        let (n, seed) = (self.groups.len(), self.seed);
        let order = self.order.of(epoch, || {
            let mut order: Vec<usize> = (0..n).collect();
            let mut rng = generator("volatilityforge trainer group order", seed, epoch);
            shuffle(&mut rng, &mut order);
            order
        });
        let rows = order[range].iter().flat_map(|group| self.groups.of(*group));
        Ok(rows.copied().collect())
    }
}
