//! What the data of a run are, in one number.

use forge_data::{Column, ColumnValues};

use super::{ExperimentConfig, ExperimentData};
use crate::hashing::hash_numbers;

/// A hash of every cell that a run may look at, and of which rows are for what: columns that are
/// ignored, and are neither target nor weights, do not count.
pub(super) fn of(data: &ExperimentData, config: &ExperimentConfig) -> String {
    let mut hasher = blake3::Hasher::new();
    let used = |column: &&Column| {
        let name = &column.name;
        !config.ignore.contains(name)
            || config.target.contains(name)
            || config.weights.as_ref() == Some(name)
    };
    for column in data.table.columns().iter().filter(used) {
        text(&mut hasher, &column.name);
        match &column.values {
            ColumnValues::Numeric(values) => {
                text(&mut hasher, "numeric");
                numbers(&mut hasher, values, |v| v.to_le_bytes());
            }
            ColumnValues::DateTime(values) => {
                text(&mut hasher, "time");
                numbers(&mut hasher, values, |v| v.to_le_bytes());
            }
            ColumnValues::Categorical(labels) => {
                text(&mut hasher, "labels");
                numbers(&mut hasher, &labels.codes, |v| v.to_le_bytes());
                for label in &labels.categories {
                    text(&mut hasher, label);
                }
            }
        }
    }
    let split = &data.split;
    for rows in [&split.train, &split.validation, &split.test] {
        numbers(&mut hasher, rows, |row| (*row as u64).to_le_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

/// With its length, so that no two lists of texts are alike.
fn text(hasher: &mut blake3::Hasher, text: &str) {
    hasher.update(&(text.len() as u64).to_le_bytes());
    hasher.update(text.as_bytes());
}

/// With their number, likewise.
fn numbers<T, const N: usize>(
    hasher: &mut blake3::Hasher,
    values: &[T],
    bytes: impl Fn(&T) -> [u8; N],
) {
    hasher.update(&(values.len() as u64).to_le_bytes());
    hash_numbers(hasher, values, bytes);
}
