//! Options that the reference writes as a switch or as a word.

use serde::{Deserialize, Serialize};

/// `true`, `false` or a word.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Switch {
    On(bool),
    Word(String),
}

impl Switch {
    pub(super) fn word(word: &str) -> Self {
        Self::Word(word.into())
    }
}
