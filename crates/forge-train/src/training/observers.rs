//! All observers of a run.

use super::{BatchEvent, EndEvent, EpochEvent, Flow, Observer, StartEvent};

/// All observers of a run, in the order they were added.
#[derive(Default)]
pub(super) struct Observers<'a>(Vec<Box<dyn Observer + 'a>>);

impl<'a> Observers<'a> {
    pub(super) fn add(&mut self, observer: impl Observer + 'a) {
        self.0.push(Box::new(observer));
    }

    pub(super) fn start(&mut self, event: &StartEvent) {
        for observer in &mut self.0 {
            observer.on_train_start(event);
        }
    }

    /// Why the run should end, if anyone wants it to.
    pub(super) fn batch(&mut self, event: &BatchEvent) -> Option<String> {
        self.ask(|observer| observer.on_batch(event))
    }

    /// Why the run should end, if anyone wants it to.
    pub(super) fn epoch(&mut self, event: &EpochEvent<'_>) -> Option<String> {
        self.ask(|observer| observer.on_epoch(event))
    }

    pub(super) fn end(&mut self, event: &EndEvent) {
        for observer in &mut self.0 {
            observer.on_end(event);
        }
    }

    /// Everyone hears, the first who wants to stop is heard.
    fn ask(&mut self, mut event: impl FnMut(&mut dyn Observer) -> Flow) -> Option<String> {
        let mut reason = None;
        for observer in &mut self.0 {
            if let Flow::Stop(why) = event(observer.as_mut()) {
                reason.get_or_insert(why);
            }
        }
        reason
    }
}
