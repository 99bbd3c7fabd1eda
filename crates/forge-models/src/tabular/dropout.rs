//! Dropout inside fused operations.

use burn::nn::Dropout;

/// The rate of a dropout layer for operations with the dropout inside: 0 where the layer is
/// switched off. That nothing is dropped without gradients is the operations' own rule.
pub(super) fn active_rate(dropout: &Dropout) -> f64 {
    if dropout.training.is_enabled() {
        dropout.prob
    } else {
        0.0
    }
}
