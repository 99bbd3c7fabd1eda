//! The best validation so far.

use burn::module::Module;
use forge_nn::{ForgeError, StateDict};
use serde::{Deserialize, Serialize};

use super::TrainerConfig;
use super::candidates::Candidate;
use crate::checkpoint::{PartState, Sections};
use crate::metric::Scores;

/// The name of its section in a checkpoint.
const SECTION: &str = "best";

/// The best validation so far, and the weights that reached it.
pub(super) struct Best<M> {
    pub(super) kept: Option<Kept<M>>,
}

pub(super) struct Kept<M> {
    pub(super) module: M,
    pub(super) about: About,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct About {
    pub(super) candidate: String,
    pub(super) epoch: usize,
    pub(super) scores: Scores,
}

impl<M> Default for Best<M> {
    fn default() -> Self {
        Self { kept: None }
    }
}

impl<M: Module> Best<M> {
    /// Keeps `candidate` if it is better than what is kept, by the config's reckoning; true if so.
    pub(super) fn take_in(
        &mut self,
        candidate: &Candidate<M>,
        epoch: usize,
        config: &TrainerConfig,
    ) -> Result<bool, ForgeError> {
        let validation = &candidate.validation;
        let improves = match (config.deciding(&validation.scores)?, &self.kept) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(new), Some(kept)) => match config.deciding(&kept.about.scores)? {
                Some(old) if old.name == new.name && old.direction == new.direction => {
                    let as_good = config.keep_last_of_equal && new.value == old.value;
                    as_good || new.direction.improves(new.value, old.value, 0.0)
                }
                old => {
                    let old = old.map_or("none", |old| old.name.as_str());
                    return Err(ForgeError::training(format!(
                        "validation was decided by {old} and is now by {}",
                        new.name
                    )));
                }
            },
        };
        if improves {
            self.kept = Some(Kept {
                module: candidate.module.clone(),
                about: About {
                    candidate: validation.candidate.clone(),
                    epoch,
                    scores: validation.scores.clone(),
                },
            });
        }
        Ok(improves)
    }

    pub(super) fn scores(&self) -> Option<&Scores> {
        self.kept.as_ref().map(|kept| &kept.about.scores)
    }

    pub(super) fn save(&self, sections: &mut Sections) -> Result<(), ForgeError> {
        let state = match &self.kept {
            None => PartState::default(),
            Some(kept) => {
                let tensors = StateDict::from_module(&kept.module)?.tensors;
                PartState::from_json(&kept.about)?.with_tensors(tensors)
            }
        };
        sections.insert(SECTION, state)
    }

    /// `like` gives structure and device, in inference mode.
    pub(super) fn restore(&mut self, sections: &mut Sections, like: M) -> Result<(), ForgeError> {
        let state = sections.take(SECTION)?;
        let about: Option<About> = state.read_json()?;
        self.kept = match about {
            None => {
                state.into_json::<()>()?;
                None
            }
            Some(about) => {
                let tensors = StateDict {
                    tensors: state.tensors,
                };
                let module = tensors.load_into(like)?;
                Some(Kept { module, about })
            }
        };
        Ok(())
    }
}
