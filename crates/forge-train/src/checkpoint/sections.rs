//! The sections of a checkpoint, one per part.

use std::collections::BTreeMap;

use burn::tensor::TensorData;
use forge_nn::ForgeError;
use serde_json::Value;

use super::{PartState, RunPart};

/// The states of all parts of a run by the parts' names.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sections(BTreeMap<String, PartState>);

impl Sections {
    /// Without any section.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the section of `part`.
    ///
    /// # Errors
    /// As [`insert`](Self::insert), and what the part finds.
    pub fn save(&mut self, part: &(impl RunPart + ?Sized)) -> Result<(), ForgeError> {
        self.insert(part.name(), part.state()?)
    }

    /// Adds a section.
    ///
    /// # Errors
    /// A config error if there is one of this name already, or if the name is empty or has a `/`.
    pub fn insert(&mut self, name: &str, state: PartState) -> Result<(), ForgeError> {
        if name.is_empty() || name.contains('/') {
            let allowed = "a name without `/`";
            return Err(ForgeError::config("part", format!("{name:?}"), allowed));
        }
        if self.0.contains_key(name) {
            let allowed = "a name that no other part of the run has";
            return Err(ForgeError::config("part", format!("{name:?}"), allowed));
        }
        self.0.insert(name.into(), state);
        Ok(())
    }

    /// Hands `part` its section.
    ///
    /// # Errors
    /// A weights error naming the part if there is none or if the part cannot use it.
    pub fn restore(&mut self, part: &mut (impl RunPart + ?Sized)) -> Result<(), ForgeError> {
        let name = part.name().to_owned();
        let state = self.take(&name)?;
        part.restore(state)
            .map_err(|e| ForgeError::weights(format!("part {name}: {}", e.reason())))
    }

    /// Takes the section called `name` out.
    ///
    /// # Errors
    /// A weights error if there is none.
    pub fn take(&mut self, name: &str) -> Result<PartState, ForgeError> {
        self.0
            .remove(name)
            .ok_or_else(|| ForgeError::weights(format!("the section of part {name} is missing")))
    }

    /// That every section was taken.
    ///
    /// # Errors
    /// A weights error naming one that was not.
    pub fn finish(self) -> Result<(), ForgeError> {
        match self.0.into_keys().next() {
            Some(name) => Err(ForgeError::weights(format!(
                "section {name} belongs to no part of this run"
            ))),
            None => Ok(()),
        }
    }

    /// In the form that a file takes: tensors as `<part>/<name>`, the rest by part.
    #[must_use]
    pub fn into_file(self) -> (BTreeMap<String, TensorData>, BTreeMap<String, Value>) {
        let (mut tensors, mut json) = (BTreeMap::new(), BTreeMap::new());
        for (part, state) in self.0 {
            for (name, data) in state.tensors {
                tensors.insert(format!("{part}/{name}"), data);
            }
            json.insert(part, state.json);
        }
        (tensors, json)
    }

    /// The sections of a file.
    ///
    /// # Errors
    /// A weights error naming a tensor that belongs to no section.
    pub fn from_file(
        tensors: BTreeMap<String, TensorData>,
        json: BTreeMap<String, Value>,
    ) -> Result<Self, ForgeError> {
        let mut sections: BTreeMap<String, PartState> = json
            .into_iter()
            .map(|(name, json)| {
                let tensors = BTreeMap::new();
                (name, PartState { tensors, json })
            })
            .collect();
        for (name, data) in tensors {
            let place = name
                .split_once('/')
                .and_then(|(part, rest)| Some((sections.get_mut(part)?, rest)));
            let Some((section, rest)) = place else {
                return Err(ForgeError::weights(format!("{name} belongs to no section")));
            };
            section.tensors.insert(rest.into(), data);
        }
        Ok(Self(sections))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(value: f32) -> PartState {
        let tensors = [("a/b".to_owned(), TensorData::new(vec![value], [1]))];
        PartState {
            tensors: tensors.into(),
            json: Value::from(3),
        }
    }

    fn message<T>(result: Result<T, ForgeError>) -> String {
        result.err().map(|e| e.to_string()).unwrap_or_default()
    }

    #[test]
    fn sections_come_back_from_a_file_and_strangers_are_named() -> Result<(), ForgeError> {
        let mut sections = Sections::new();
        sections.insert("one", state(1.0))?;
        sections.insert("two", PartState::default())?;
        for name in ["one", "", "a/b"] {
            assert!(message(sections.insert(name, PartState::default())).contains("part"));
        }
        let (mut tensors, json) = sections.clone().into_file();
        assert_eq!(
            Sections::from_file(tensors.clone(), json.clone())?,
            sections
        );
        tensors.insert("three/x".into(), TensorData::new(vec![1.0_f32], [1]));
        let error = message(Sections::from_file(tensors, json));
        assert!(error.contains("three/x belongs to no section"), "{error}");

        assert_eq!(sections.take("one")?, state(1.0));
        assert!(message(sections.take("one")).contains("part one is missing"));
        assert!(message(sections.finish()).contains("section two belongs to no part"));
        Ok(())
    }
}
