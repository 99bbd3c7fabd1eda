//! A model soup of the weights along a run.

use burn::module::Module;
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::members::Newest;
use super::{Averaging, Members, Together};
use crate::checkpoint::{PartState, RunPart};
use crate::training::StepContext;

/// More is a slip of the pen: each is a whole set of weights in memory and in each checkpoint.
const MOST: usize = 100;

/// Which weights a soup is made of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SoupConfig {
    /// Epochs from one ingredient to the next. At least 1, default 1.
    pub every: usize,
    /// How many of the newest are ingredients. 2 to 100, default 10.
    pub keep: usize,
}

impl Default for SoupConfig {
    fn default() -> Self {
        Self { every: 1, keep: 10 }
    }
}

impl SoupConfig {
    /// Checks both fields.
    ///
    /// # Errors
    /// A config error naming the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("soup.every", self.every)?;
        check::in_range("soup.keep", self.keep, 2..=MOST)
    }
}

/// Keeps the weights at the ends of epochs; at the end of the run the trainer makes a
/// [`greedy_soup`](super::greedy_soup) of them by the task's validation.
///
/// Departure: the paper's ingredients are separate fine-tunings of one pre-trained model. Here they
/// are of one run, which have a common past as well.
#[derive(Debug)]
pub struct Soup<M> {
    config: SoupConfig,
    newest: Newest<M>,
}

impl<M: Module> Soup<M> {
    /// Without ingredients; `module` gives structure and device.
    ///
    /// # Errors
    /// What [`SoupConfig::validate`] finds.
    pub fn new(config: SoupConfig, module: &M) -> Result<Self, ForgeError> {
        config.validate()?;
        Ok(Self {
            config,
            newest: Newest::new(config.keep, module),
        })
    }
}

impl<M: Module> RunPart for Soup<M> {
    fn name(&self) -> &str {
        "soup"
    }

    fn config(&self) -> Value {
        json!(self.config)
    }

    fn state(&self) -> Result<PartState, ForgeError> {
        self.newest.state()
    }

    fn restore(&mut self, state: PartState) -> Result<(), ForgeError> {
        self.newest.restore(state)
    }
}

impl<M: Module> Averaging<M> for Soup<M> {
    fn on_step(&mut self, _: &M, _: &StepContext<'_>) -> Result<(), ForgeError> {
        Ok(())
    }

    fn on_epoch(&mut self, module: &M, at: &StepContext<'_>) -> Result<(), ForgeError> {
        if (at.epoch + 1).is_multiple_of(self.config.every) {
            self.newest.keep(module);
        }
        Ok(())
    }

    fn candidate(&self) -> Option<M> {
        None
    }

    fn members(&self) -> Option<Members<M>> {
        Some(Members {
            together: Together::Soup,
            modules: self.newest.modules(),
        })
    }
}
