//! Who hears of a run: progress bars, logs, plots.

use super::{EpochRecord, StopReason};

/// The run begins, or goes on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StartEvent {
    /// Training rows.
    pub rows: usize,
    /// Trainable scalar parameters of the module.
    pub parameters: usize,
    /// Epochs of the run.
    pub epochs: usize,
    /// Optimiser steps an epoch.
    pub batches: usize,
    /// Optimiser steps of the run.
    pub steps: u64,
    /// The step at which a resumed run goes on.
    pub resumed_at: Option<u64>,
}

/// One optimiser step is done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchEvent {
    /// From 0.
    pub epoch: usize,
    /// Epochs of the run.
    pub epochs: usize,
    /// Steps done in this epoch, at least 1.
    pub batch: usize,
    /// Steps of an epoch.
    pub batches: usize,
    /// Steps done in the run, at least 1.
    pub step: u64,
    /// Steps of the run.
    pub steps: u64,
    /// Rows of the batch.
    pub rows: usize,
    /// The latest batch loss that has been read back from the device.
    pub loss: Option<f64>,
    /// The learning rate of the step.
    pub lr: f64,
    /// Rows a second, over this session.
    pub samples_per_second: f64,
    /// Seconds to the end of the last epoch, from the mean pace of this session.
    pub eta_seconds: f64,
}

/// An epoch is done and, where due, validated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EpochEvent<'a> {
    /// What goes into the history.
    pub record: &'a EpochRecord,
    /// Epochs of the run.
    pub epochs: usize,
    /// The best validation score so far.
    pub best: Option<f64>,
    /// Whether this epoch set it.
    pub is_best: bool,
    /// Rows a second, over this session.
    pub samples_per_second: f64,
    /// Seconds to the end of the last epoch, from the mean pace of this session.
    pub eta_seconds: f64,
}

/// The run is over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EndEvent {
    /// Why.
    pub stop: StopReason,
    /// Epochs in the history.
    pub epochs: usize,
    /// Optimiser steps done.
    pub steps: u64,
    /// The best validation score.
    pub best: Option<f64>,
    /// Seconds, those of earlier sessions of a resumed run included.
    pub seconds: f64,
}

/// Hears of batches and epochs. Every method does nothing unless written.
///
/// To end a run from here, set the flag given to
/// [`Trainer::with_stop_flag`](super::Trainer::with_stop_flag).
pub trait Observer {
    /// The run begins, or goes on.
    fn on_train_start(&mut self, event: &StartEvent) {
        let _ = event;
    }

    /// One optimiser step is done.
    fn on_batch(&mut self, event: &BatchEvent) {
        let _ = event;
    }

    /// An epoch is done.
    fn on_epoch(&mut self, event: &EpochEvent<'_>) {
        let _ = event;
    }

    /// The run is over. Not called when it ends with an error.
    fn on_end(&mut self, event: &EndEvent) {
        let _ = event;
    }
}

impl<O: Observer + ?Sized> Observer for &mut O {
    fn on_train_start(&mut self, event: &StartEvent) {
        (**self).on_train_start(event);
    }

    fn on_batch(&mut self, event: &BatchEvent) {
        (**self).on_batch(event);
    }

    fn on_epoch(&mut self, event: &EpochEvent<'_>) {
        (**self).on_epoch(event);
    }

    fn on_end(&mut self, event: &EndEvent) {
        (**self).on_end(event);
    }
}
