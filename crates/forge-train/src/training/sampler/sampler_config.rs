//! Samplers by name.

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::row_keys::field;
use super::{
    Bucketed, Grouped, KeyOf, RowKeys, Sampler, Sequential, Shuffle, Stratified, TimeOrdered,
    Weighted,
};

/// Which rows go into which step: `{"name": "stratified", "by": "target"}`.
///
/// Batch size and seed are the run's. What a sampler goes by is asked of the task
/// ([`row_keys`](crate::TrainTask::row_keys)).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
pub enum SamplerConfig {
    /// All rows once per epoch, in random order.
    Shuffle {},
    /// All rows once per epoch, in the order they have.
    Sequential {},
    /// Each batch with the same part of every class, label or interval of numbers.
    Stratified {
        /// Default the target.
        #[serde(default = "target")]
        by: KeyOf,
        /// Intervals of numbers, equally filled; labels need none. 2 to 1000, default 10.
        #[serde(default = "ten")]
        bins: usize,
    },
    /// Rows drawn with replacement so that every class, label or interval of numbers comes equally
    /// often, as many as there are rows.
    Balanced {
        /// Default the target.
        #[serde(default = "target")]
        by: KeyOf,
        /// As in `stratified`.
        #[serde(default = "ten")]
        bins: usize,
    },
    /// Rows drawn with replacement in proportion to a number of theirs, at least 0, as many as
    /// there are rows. The loss knows nothing of it: by the sample weights, these count twice.
    Weighted {
        /// Default the sample weights.
        #[serde(default = "weight")]
        by: KeyOf,
    },
    /// Batches of rows next to each other in time.
    TimeOrdered {
        /// The column of times or numbers.
        by: KeyOf,
        /// Whether the batches come in random order. Default false: in that of time.
        #[serde(default)]
        shuffle_batches: bool,
    },
    /// Batches of whole groups: rows of one value. The batch size counts for nothing.
    Groups {
        /// The column of labels or numbers.
        by: KeyOf,
        /// Groups in a batch. At least 1, default 1.
        #[serde(default = "one")]
        per_batch: usize,
    },
    /// Batches of rows of nearly equal length.
    Buckets {
        /// The column of lengths.
        by: KeyOf,
        /// Batches that are drawn from one bucket. At least 1, default 8.
        #[serde(default = "eight")]
        batches_per_bucket: usize,
    },
}

fn target() -> KeyOf {
    KeyOf::Target
}

fn weight() -> KeyOf {
    KeyOf::Weight
}

fn one() -> usize {
    1
}

fn eight() -> usize {
    8
}

fn ten() -> usize {
    10
}

impl SamplerConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// A config error naming the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        match self {
            Self::Stratified { bins, .. } | Self::Balanced { bins, .. } => {
                check::in_range("sampler.bins", *bins, 2..=1000)
            }
            Self::Groups { per_batch, .. } => check::at_least_one("sampler.per_batch", *per_batch),
            Self::Buckets {
                batches_per_bucket, ..
            } => check::at_least_one("sampler.batches_per_bucket", *batches_per_bucket),
            _ => Ok(()),
        }
    }

    /// What the sampler asks the task for, if anything.
    #[must_use]
    pub fn key(&self) -> Option<&KeyOf> {
        match self {
            Self::Shuffle {} | Self::Sequential {} => None,
            Self::Stratified { by, .. }
            | Self::Balanced { by, .. }
            | Self::Weighted { by }
            | Self::TimeOrdered { by, .. }
            | Self::Groups { by, .. }
            | Self::Buckets { by, .. } => Some(by),
        }
    }

    /// The sampler over `n_rows` rows in batches of `batch_size`; `keys` answers what it asks for.
    ///
    /// # Errors
    /// What [`validate`](Self::validate) finds; what `keys` finds; a config error naming what the
    /// sampler goes by, if that is missing in a row, or of the wrong kind.
    pub fn build(
        &self,
        n_rows: usize,
        batch_size: usize,
        seed: u64,
        keys: impl FnOnce(&KeyOf) -> Result<RowKeys, ForgeError>,
    ) -> Result<Box<dyn Sampler>, ForgeError> {
        self.validate()?;
        let found = |by: &KeyOf| -> Result<RowKeys, ForgeError> {
            let keys = keys(by)?;
            keys.check(by, n_rows)?;
            Ok(keys)
        };
        Ok(match self {
            Self::Shuffle {} => Box::new(Shuffle::new(n_rows, batch_size, seed)),
            Self::Sequential {} => Box::new(Sequential::new(n_rows, batch_size)),
            Self::Stratified { by, bins } => {
                let strata = found(by)?.strata(*bins);
                let n = strata.iter().max().map_or(0, |most| most + 1);
                Box::new(Stratified::new(&strata, n, batch_size, seed)?)
            }
            Self::Balanced { by, bins } => {
                let strata = found(by)?.strata(*bins);
                let mut counts = vec![0.0; strata.iter().max().map_or(0, |most| most + 1)];
                strata.iter().for_each(|stratum| counts[*stratum] += 1.0);
                let weights: Vec<f64> = strata.iter().map(|s| 1.0 / counts[*s]).collect();
                Box::new(Weighted::new(&weights, n_rows, batch_size, seed)?)
            }
            Self::Weighted { by } => {
                let weights = found(by)?.numbers(by)?;
                if let Some(row) = weights.iter().position(|w| *w < 0.0) {
                    let value = format!("{} in training row {row}", weights[row]);
                    return Err(ForgeError::config(&field(by), value, "at least 0"));
                }
                Box::new(Weighted::new(&weights, n_rows, batch_size, seed)?)
            }
            Self::TimeOrdered {
                by,
                shuffle_batches,
            } => {
                let sampler = TimeOrdered::new(&found(by)?.numbers(by)?, batch_size)?;
                Box::new(match shuffle_batches {
                    true => sampler.with_shuffled_batches(seed),
                    false => sampler,
                })
            }
            Self::Groups { by, per_batch } => {
                let of = found(by)?.groups();
                let mut groups = vec![Vec::new(); of.iter().max().map_or(0, |most| most + 1)];
                of.iter()
                    .enumerate()
                    .for_each(|(row, group)| groups[*group].push(row));
                Box::new(Grouped::new(groups, *per_batch, seed)?)
            }
            Self::Buckets {
                by,
                batches_per_bucket,
            } => {
                let lengths = found(by)?.numbers(by)?;
                Box::new(Bucketed::new(
                    &lengths,
                    *batches_per_bucket,
                    batch_size,
                    seed,
                )?)
            }
        })
    }
}
