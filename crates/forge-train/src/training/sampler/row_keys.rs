//! What samplers tell rows apart by.

use std::collections::BTreeMap;

use forge_nn::ForgeError;
use serde::{Deserialize, Serialize};

/// What a sampler asks a task for: `"target"`, `"weight"` or `{"column": "sector"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyOf {
    /// The target, of which there must be one: numbers or classes.
    Target,
    /// The sample weight.
    Weight,
    /// A column of the task's table, a feature or not.
    Column(String),
}

/// One value per training row.
#[derive(Debug, Clone, PartialEq)]
pub enum RowKeys {
    /// Numbers; times as any number that rises with them. NaN where there is none.
    Numbers(Vec<f64>),
    /// Classes, labels or names of groups.
    Labels {
        /// What they are called, for error messages.
        names: Vec<String>,
        /// The position in `names` of every row's; absent where it has none.
        rows: Vec<Option<usize>>,
    },
}

impl RowKeys {
    fn len(&self) -> usize {
        match self {
            Self::Numbers(values) => values.len(),
            Self::Labels { rows, .. } => rows.len(),
        }
    }

    /// That there is one for each of `n_rows` rows, none of them missing.
    pub(super) fn check(&self, by: &KeyOf, n_rows: usize) -> Result<(), ForgeError> {
        if self.len() != n_rows {
            let value = format!("{} values", self.len());
            let allowed = format!("one per row, of which there are {n_rows}");
            return Err(ForgeError::config(&field(by), value, allowed));
        }
        let missing = match self {
            Self::Numbers(values) => values.iter().position(|v| !v.is_finite()),
            Self::Labels { rows, .. } => rows.iter().position(Option::is_none),
        };
        match missing {
            None => Ok(()),
            Some(row) => {
                let value = format!("missing in training row {row}");
                let allowed = "a value in every row: fill it, or leave the row out";
                Err(ForgeError::config(&field(by), value, allowed))
            }
        }
    }

    /// As numbers, where they are.
    pub(super) fn numbers(self, by: &KeyOf) -> Result<Vec<f64>, ForgeError> {
        match self {
            Self::Numbers(values) => Ok(values),
            Self::Labels { .. } => {
                let allowed = "numbers or times; labels have no order";
                Err(ForgeError::config(&field(by), "labels", allowed))
            }
        }
    }

    /// The number of every row's group: rows of one value. Numbered from 0, none without a row.
    pub(super) fn groups(&self) -> Vec<usize> {
        match self {
            Self::Labels { rows, .. } => {
                dense(rows.iter().map(|label| label.unwrap_or(usize::MAX) as u64))
            }
            // 0 and -0 are one number.
            Self::Numbers(values) => dense(values.iter().map(|v| (v + 0.0).to_bits())),
        }
    }

    /// The number of every row's stratum: its label, or which of `bins` equally filled intervals
    /// its number lies in. Rows of one number are never parted, so that intervals may be fewer.
    pub(super) fn strata(&self, bins: usize) -> Vec<usize> {
        let Self::Numbers(values) = self else {
            return self.groups();
        };
        let mut sorted = values.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        // The interval of a number is that of its first place among the sorted.
        let interval = |v: &f64| {
            let first = sorted.partition_point(|other| other < v);
            (first * bins / sorted.len().max(1)) as u64
        };
        dense(values.iter().map(interval))
    }
}

/// The field of a sampler's config that says what it goes by.
pub(super) fn field(by: &KeyOf) -> String {
    match by {
        KeyOf::Target => "sampler.by (target)".into(),
        KeyOf::Weight => "sampler.by (weight)".into(),
        KeyOf::Column(name) => format!("sampler.by (column {name:?})"),
    }
}

/// Numbers each value by its place among all that occur.
fn dense(values: impl Iterator<Item = u64> + Clone) -> Vec<usize> {
    let mut places: BTreeMap<u64, usize> = values.clone().map(|v| (v, 0)).collect();
    for (place, number) in places.values_mut().enumerate() {
        *number = place;
    }
    values
        .map(|v| places.get(&v).copied().unwrap_or(0))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_fall_into_equal_intervals_and_ties_stay_together() {
        let keys = RowKeys::Numbers(vec![5.0, 1.0, 2.0, 9.0, 3.0, 4.0]);
        assert_eq!(keys.strata(3), [2, 0, 0, 2, 1, 1]);
        assert_eq!(keys.strata(2), [1, 0, 0, 1, 0, 1]);
        let tied = RowKeys::Numbers(vec![0.0, -0.0, 0.0, 0.0, 0.0, 7.0]);
        assert_eq!(tied.strata(3), [0, 0, 0, 0, 0, 1]);
        assert_eq!(tied.groups(), [0, 0, 0, 0, 0, 1]);
    }

    #[test]
    fn labels_without_rows_are_no_strata() {
        let keys = RowKeys::Labels {
            names: ["a", "b", "c"].map(String::from).to_vec(),
            rows: vec![Some(2), Some(0), Some(2)],
        };
        assert_eq!(keys.strata(10), [1, 0, 1]);
    }
}
