//! Features and targets of some rows.

use forge_data::{EncodedTargets, Features};

use crate::hashing::hash_numbers;

/// Preprocessed rows with what is learnt of them.
pub(super) struct Rows {
    pub(super) features: Features,
    pub(super) targets: EncodedTargets,
}

impl Rows {
    /// Into the fingerprint of a run's data.
    pub(super) fn hash(&self, hasher: &mut blake3::Hasher) {
        hash_numbers(hasher, &self.features.numeric, |v| v.to_le_bytes());
        hash_numbers(hasher, &self.features.categorical, |v| v.to_le_bytes());
        hash_numbers(hasher, &self.targets.values, |v| v.to_le_bytes());
    }
}
