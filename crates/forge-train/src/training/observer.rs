//! Who hears of a run: progress bars, logs, plots, searches that give up on it.

use std::any::Any;
use std::fmt;

use burn::module::Module;
use forge_nn::{ForgeError, StateDict};

use super::{EpochRecord, StopReason};
use crate::metric::Scores;

/// The run begins, or goes on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StartEvent {
    /// Which of the runs of one fit this is, from 0: those of an ensemble's members, one to all rows.
    pub run: usize,
    /// Training rows.
    pub rows: usize,
    /// Trainable scalar parameters of the module.
    pub parameters: usize,
    /// Epochs of the run.
    pub epochs: usize,
    /// Optimiser steps per epoch.
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
    /// Whether a gradient rule had the step left out.
    pub skipped: bool,
    /// The latest batch loss that has been read back from the device.
    pub loss: Option<f64>,
    /// The learning rate of the step (of the first group).
    pub lr: f64,
    /// Rows per second, over this session.
    pub samples_per_second: f64,
    /// Seconds to the end of the last epoch, from the mean pace of this session.
    pub eta_seconds: f64,
}

/// An epoch is done and, where due, validated.
#[derive(Debug, Clone, Copy)]
pub struct EpochEvent<'a> {
    /// What goes into the history.
    pub record: &'a EpochRecord,
    /// Epochs of the run.
    pub epochs: usize,
    /// The best validation scores so far.
    pub best: Option<&'a Scores>,
    /// Whether this epoch set them.
    pub is_best: bool,
    /// What would be deployed now, in inference mode: the best candidate of this epoch where it
    /// was validated, else the first.
    pub module: ModuleView<'a>,
    /// Rows per second, over this session.
    pub samples_per_second: f64,
    /// Seconds to the end of the last epoch, from the mean pace of this session.
    pub eta_seconds: f64,
}

/// A module whose type an observer does not know.
#[derive(Clone, Copy)]
pub struct ModuleView<'a>(&'a dyn Viewed);

trait Viewed {
    fn any(&self) -> &dyn Any;
    fn state(&self) -> Result<StateDict, ForgeError>;
}

impl<M: Module + 'static> Viewed for M {
    fn any(&self) -> &dyn Any {
        self
    }

    fn state(&self) -> Result<StateDict, ForgeError> {
        StateDict::from_module(self)
    }
}

impl<'a> ModuleView<'a> {
    pub(crate) fn new<M: Module + 'static>(module: &'a M) -> Self {
        Self(module)
    }

    /// The module, if it is an `M`.
    #[must_use]
    pub fn downcast<M: 'static>(self) -> Option<&'a M> {
        self.0.any().downcast_ref()
    }

    /// Its tensors by name, read back from the device.
    ///
    /// # Errors
    /// A weights error if a tensor cannot be read back.
    pub fn state(self) -> Result<StateDict, ForgeError> {
        self.0.state()
    }
}

impl fmt::Debug for ModuleView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModuleView").finish_non_exhaustive()
    }
}

/// The run is over.
#[derive(Debug, Clone, PartialEq)]
pub struct EndEvent {
    /// Why.
    pub stop: StopReason,
    /// Epochs in the history.
    pub epochs: usize,
    /// Optimiser steps done.
    pub steps: u64,
    /// The best validation scores.
    pub best: Option<Scores>,
    /// Seconds, those of earlier sessions of a resumed run included.
    pub seconds: f64,
}

/// What an observer wants to happen next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// End the run, for this reason. A checkpoint is written, from which it can be resumed.
    Stop(String),
}

/// Hears of batches and epochs. Every method does nothing unless written.
///
/// Several observers hear everything, in the order they were added; the first that asks to stop
/// gives the reason. `Send`, since the trainer runs on one of the threads that compute
/// ([`on_worker`](forge_nn::on_worker)); no two calls are made at once.
pub trait Observer: Send {
    /// The run begins, or goes on.
    fn on_train_start(&mut self, event: &StartEvent) {
        let _ = event;
    }

    /// One optimiser step is done.
    fn on_batch(&mut self, event: &BatchEvent) -> Flow {
        let _ = event;
        Flow::Continue
    }

    /// An epoch is done.
    fn on_epoch(&mut self, event: &EpochEvent<'_>) -> Flow {
        let _ = event;
        Flow::Continue
    }

    /// The run is over. Not called when it ends with an error.
    fn on_end(&mut self, event: &EndEvent) {
        let _ = event;
    }
}

macro_rules! passed_on {
    ($pointer:ty) => {
        impl<O: Observer + ?Sized> Observer for $pointer {
            fn on_train_start(&mut self, event: &StartEvent) {
                (**self).on_train_start(event);
            }

            fn on_batch(&mut self, event: &BatchEvent) -> Flow {
                (**self).on_batch(event)
            }

            fn on_epoch(&mut self, event: &EpochEvent<'_>) -> Flow {
                (**self).on_epoch(event)
            }

            fn on_end(&mut self, event: &EndEvent) {
                (**self).on_end(event);
            }
        }
    };
}

passed_on!(&mut O);
passed_on!(Box<O>);

/// All hear, in their order; the first that asks to stop gives the reason.
impl<O: Observer> Observer for Vec<O> {
    fn on_train_start(&mut self, event: &StartEvent) {
        for observer in self {
            observer.on_train_start(event);
        }
    }

    fn on_batch(&mut self, event: &BatchEvent) -> Flow {
        ask(self, |observer| observer.on_batch(event))
    }

    fn on_epoch(&mut self, event: &EpochEvent<'_>) -> Flow {
        ask(self, |observer| observer.on_epoch(event))
    }

    fn on_end(&mut self, event: &EndEvent) {
        for observer in self {
            observer.on_end(event);
        }
    }
}

fn ask<O>(observers: &mut [O], mut event: impl FnMut(&mut O) -> Flow) -> Flow {
    let mut answer = Flow::Continue;
    for observer in observers {
        let asked = event(observer);
        if answer == Flow::Continue {
            answer = asked;
        }
    }
    answer
}
