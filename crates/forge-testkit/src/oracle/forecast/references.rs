//! What is particular to the cases of each model.

use super::Reference;

/// How the cases of `model` are read.
pub(super) fn of(model: &str) -> Reference {
    match model {
        _ => Reference::PLAIN,
    }
}
