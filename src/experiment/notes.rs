//! What is told of the models of a run.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::RunEvent;

/// Tells each line once: models of one table have most of them in common.
#[derive(Debug, Default)]
pub(super) struct Notes(RefCell<BTreeSet<String>>);

impl Notes {
    /// Tells of a line that was not told yet.
    pub(super) fn tell(&self, line: &str, on_event: &mut dyn FnMut(&RunEvent<'_>)) {
        if self.0.borrow_mut().insert(line.into()) {
            on_event(&RunEvent::Note(line));
        }
    }
}
