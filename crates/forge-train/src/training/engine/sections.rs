//! The whole state of an engine as sections of a checkpoint.

use burn::module::Module;
use forge_nn::{ForgeError, StateDict};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Engine, present};
use crate::checkpoint::{PartState, RunPart, Sections};
use crate::optimizer::OptimizerState;

/// The sections of an engine that are none of a rule or an average.
const MODULE: &str = "module";
const ENGINE: &str = "engine";

/// Where an engine is, as a checkpoint has it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    epoch: usize,
    step: u64,
}

impl<M: Module> Engine<'_, M> {
    fn place(&self) -> Place {
        Place {
            epoch: self.clock.epoch,
            step: self.clock.step,
        }
    }

    /// Everything that the engine remembers: `module`, `engine` (epoch and step), `optimizer` (with
    /// groups `optimizer.<group>`), and one section per rule and average. With it a loop of your
    /// own goes on bit by bit as if it had never stopped, if it feeds the same rows.
    ///
    /// # Errors
    /// A training error naming a weight that is not finite: such a state must not replace a good
    /// one. A weights error if a tensor cannot be read back.
    pub fn state(&self) -> Result<Sections, ForgeError> {
        let mut sections = Sections::new();
        // `valid` writes pending batch statistics in.
        let weights = StateDict::from_module(&self.module().valid())?;
        weights.check_finite().map_err(|error| {
            let Place { epoch, step } = self.place();
            ForgeError::training(format!("at epoch {epoch}, after step {step}: {error}"))
        })?;
        let weights = weights.tensors;
        sections.insert(MODULE, PartState::default().with_tensors(weights))?;
        sections.insert(ENGINE, PartState::from_json(&self.place())?)?;
        for slot in &self.slots {
            let state = slot.optimizer.state(self.module());
            let scalars = PartState::from_json(&state.scalars)?;
            sections.insert(&slot.section(), scalars.with_tensors(state.tensors))?;
            if let Some(plateau) = &slot.plateau {
                sections.insert(&slot.plateau_section(), plateau.state()?)?;
            }
        }
        for rule in &self.rules {
            sections.save(rule.as_ref())?;
        }
        for averaging in &self.averagings {
            sections.save(averaging.as_ref())?;
        }
        Ok(sections)
    }

    /// Goes on from a saved [`state`](Self::state); takes the engine's sections out.
    ///
    /// # Errors
    /// A weights error naming the part whose section is missing or does not fit. The engine is
    /// then of no more use.
    pub fn restore(&mut self, sections: &mut Sections) -> Result<(), ForgeError> {
        let weights = StateDict {
            tensors: sections.take(MODULE)?.tensors,
            // Names decide; the module keeps its own ids.
        };
        // Writes pending batch statistics in, so that none are left to overwrite the loaded ones.
        let _ = self.module().valid();
        self.module = Some(weights.load_into(self.module().clone())?);
        let place: Place = sections.take(ENGINE)?.into_json()?;
        (self.clock.epoch, self.clock.step) = (place.epoch, place.step);
        // Of a step that was begun and is taken back.
        self.open = super::step::Open::default();
        for slot in &mut self.slots {
            let state = sections.take(&slot.section())?;
            let state = OptimizerState {
                scalars: state.read_json()?,
                tensors: state.tensors,
            };
            slot.optimizer.load(present(&self.module), state)?;
            let section = slot.plateau_section();
            if let Some(plateau) = &mut slot.plateau {
                plateau.restore(sections.take(&section)?)?;
            }
        }
        for rule in &mut self.rules {
            sections.restore(rule.as_mut())?;
        }
        for averaging in &mut self.averagings {
            sections.restore(averaging.as_mut())?;
        }
        Ok(())
    }

    /// The settings of groups, rules and averages by name: part of what identifies a run.
    #[must_use]
    pub fn config(&self) -> Value {
        let mut parts = Map::new();
        for slot in self.slots.iter().filter(|slot| slot.ids.is_some()) {
            parts.insert(slot.section(), slot.config.clone());
        }
        for rule in &self.rules {
            parts.insert(rule.name().into(), rule.config());
        }
        for averaging in &self.averagings {
            parts.insert(averaging.name().into(), averaging.config());
        }
        Value::Object(parts)
    }
}
