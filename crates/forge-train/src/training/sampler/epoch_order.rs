//! What a sampler draws once per epoch.

/// A list that is made once per epoch, and kept while that epoch lasts.
#[derive(Debug, Clone, Default)]
pub(super) struct EpochOrder(Option<(usize, Vec<usize>)>);

impl EpochOrder {
    /// The list of `epoch`, made by `draw` where it is another than that of the last call.
    pub(super) fn of(&mut self, epoch: usize, draw: impl FnOnce() -> Vec<usize>) -> &[usize] {
        if self.0.as_ref().is_none_or(|(of, _)| *of != epoch) {
            self.0 = Some((epoch, draw()));
        }
        self.0.as_ref().map_or(&[], |(_, order)| order)
    }
}
