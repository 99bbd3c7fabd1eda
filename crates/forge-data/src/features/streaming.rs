//! What every feature of bars is.

use super::Bar;

/// A state that takes bars in one by one, each with the feature's value after it.
pub(super) trait Streaming {
    /// The value, from this bar and those before it; `None` while there are too few bars, where the
    /// bar lacks what is needed, and where the formula has no value (a division by 0).
    fn push(&mut self, bar: &Bar) -> Option<f64>;
}
