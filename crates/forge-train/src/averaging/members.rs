//! Weights that are kept one by one.

use burn::module::Module;
use forge_nn::{ForgeError, StateDict};

use crate::checkpoint::PartState;

/// What becomes of weights that are kept one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Together {
    /// Their predictions are averaged.
    Ensemble,
    /// Their weights are, as far as that helps: see [`greedy_soup`](super::greedy_soup).
    Soup,
}

/// Weights that an average keeps one by one, and what becomes of them at the end of a run.
#[derive(Debug, Clone)]
pub struct Members<M> {
    /// What becomes of them.
    pub together: Together,
    /// In inference mode, the oldest first; they share nothing with what goes on.
    pub modules: Vec<M>,
}

/// The newest of the weights that were handed over.
#[derive(Debug)]
pub(super) struct Newest<M> {
    /// Gives structure and device.
    like: M,
    most: usize,
    kept: Vec<M>,
}

impl<M: Module> Newest<M> {
    pub(super) fn new(most: usize, like: &M) -> Self {
        Self {
            like: like.valid(),
            most,
            kept: Vec::new(),
        }
    }

    /// Keeps `module` as it is now; the oldest makes room.
    pub(super) fn keep(&mut self, module: &M) {
        if self.kept.len() == self.most {
            self.kept.remove(0);
        }
        // `valid` makes the running statistics anew; a clone would share them.
        self.kept.push(module.valid());
    }

    pub(super) fn modules(&self) -> Vec<M> {
        self.kept.iter().map(Module::valid).collect()
    }

    /// The tensors of all, `<number>.<name>`.
    pub(super) fn state(&self) -> Result<PartState, ForgeError> {
        let mut state = PartState::from_json(&self.kept.len())?;
        for (i, module) in self.kept.iter().enumerate() {
            let tensors = StateDict::from_module(module)?.tensors;
            let named = tensors
                .into_iter()
                .map(|(name, data)| (format!("{i}.{name}"), data));
            state.tensors.extend(named);
        }
        Ok(state)
    }

    pub(super) fn restore(&mut self, state: PartState) -> Result<(), ForgeError> {
        let count: usize = state.read_json()?;
        if count > self.most {
            let reason = format!("{count} sets of weights; at most {} are kept", self.most);
            return Err(ForgeError::weights(reason));
        }
        let mut each = vec![StateDict::default(); count];
        for (name, data) in state.tensors {
            let (i, rest) = name.split_once('.').unwrap_or((&name, ""));
            let member = i.parse().ok().and_then(|i: usize| each.get_mut(i));
            let Some(member) = member else {
                return Err(ForgeError::weights(format!("{name} is not expected")));
            };
            member.tensors.insert(rest.into(), data);
        }
        let each = each.into_iter();
        let kept = each.map(|weights| weights.load_into(self.like.valid()));
        self.kept = kept.collect::<Result<_, _>>()?;
        Ok(())
    }
}
