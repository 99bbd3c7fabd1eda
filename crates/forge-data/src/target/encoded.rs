//! Targets of some rows, as a model learns them and as they are scored.

/// Targets of `N` rows in `S` slots, one slot per target column.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EncodedTargets {
    /// What a model learns, `[N, S]` row-major: standardised numbers, or class numbers.
    pub values: Vec<f32>,
    /// What scores compare with, `[N, S]` row-major: numbers in the column's own unit, or class
    /// numbers.
    pub original: Vec<f64>,
    /// `S`.
    pub slots: usize,
}

impl EncodedTargets {
    /// `N`.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.values.len().checked_div(self.slots).unwrap_or(0)
    }
}
