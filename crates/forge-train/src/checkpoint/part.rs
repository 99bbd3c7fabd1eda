//! What a run is made of, as far as a checkpoint is concerned.

use std::collections::BTreeMap;

use burn::tensor::TensorData;
use forge_nn::ForgeError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A part of a run that has a section of its own in the checkpoint: its tensors are called
/// `<name>/…` there, and its counters stand under its name in the manifest.
///
/// A part that remembers nothing from one step to the next writes none of the two state methods.
///
/// ```
/// use forge_nn::ForgeError;
/// use forge_train::checkpoint::{PartState, RunPart};
///
/// struct Counter(u64);
///
/// impl RunPart for Counter {
///     fn name(&self) -> &str {
///         "counter"
///     }
///
///     fn state(&self) -> Result<PartState, ForgeError> {
///         PartState::from_json(&self.0)
///     }
///
///     fn restore(&mut self, state: PartState) -> Result<(), ForgeError> {
///         self.0 = state.into_json()?;
///         Ok(())
///     }
/// }
///
/// let mut other = Counter(0);
/// other.restore(Counter(7).state()?)?;
/// assert_eq!(other.0, 7);
/// # Ok::<(), ForgeError>(())
/// ```
pub trait RunPart: Send {
    /// The name of its section: one that no other part of the run has, without `/`.
    fn name(&self) -> &str;

    /// Its settings, part of what identifies the run: a run whose part has others is not resumed.
    /// Null where there are none.
    fn config(&self) -> Value {
        Value::Null
    }

    /// What it remembers.
    ///
    /// # Errors
    /// If a tensor cannot be read back.
    fn state(&self) -> Result<PartState, ForgeError> {
        Ok(PartState::default())
    }

    /// Goes on from what [`state`](Self::state) gave.
    ///
    /// # Errors
    /// If the state does not fit.
    fn restore(&mut self, state: PartState) -> Result<(), ForgeError> {
        state.into_nothing()
    }
}

impl<P: RunPart + ?Sized> RunPart for &mut P {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn config(&self) -> Value {
        (**self).config()
    }

    fn state(&self) -> Result<PartState, ForgeError> {
        (**self).state()
    }

    fn restore(&mut self, state: PartState) -> Result<(), ForgeError> {
        (**self).restore(state)
    }
}

impl<P: RunPart + ?Sized> RunPart for Box<P> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn config(&self) -> Value {
        (**self).config()
    }

    fn state(&self) -> Result<PartState, ForgeError> {
        (**self).state()
    }

    fn restore(&mut self, state: PartState) -> Result<(), ForgeError> {
        (**self).restore(state)
    }
}

/// What a part remembers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PartState {
    /// Tensors by name.
    pub tensors: BTreeMap<String, TensorData>,
    /// Everything else.
    pub json: Value,
}

impl PartState {
    /// A state without tensors.
    ///
    /// # Errors
    /// A training error if `value` cannot be written as JSON.
    pub fn from_json(value: &impl Serialize) -> Result<Self, ForgeError> {
        let json = serde_json::to_value(value)
            .map_err(|e| ForgeError::training(format!("a state cannot be written as JSON: {e}")))?;
        Ok(Self {
            tensors: BTreeMap::new(),
            json,
        })
    }

    /// Beside these tensors.
    #[must_use]
    pub fn with_tensors(mut self, tensors: BTreeMap<String, TensorData>) -> Self {
        self.tensors = tensors;
        self
    }

    /// What [`from_json`](Self::from_json) was given.
    ///
    /// # Errors
    /// A weights error if it is something else, or if there are tensors.
    pub fn into_json<T: DeserializeOwned>(self) -> Result<T, ForgeError> {
        match self.tensors.keys().next() {
            Some(name) => Err(ForgeError::weights(format!("{name} is not expected"))),
            None => self.read_json(),
        }
    }

    /// The counters of a state that has tensors as well.
    ///
    /// # Errors
    /// A weights error if they are something else.
    pub fn read_json<T: DeserializeOwned>(&self) -> Result<T, ForgeError> {
        T::deserialize(&self.json).map_err(ForgeError::weights)
    }

    /// The state of a part that remembers nothing.
    ///
    /// # Errors
    /// A weights error if there is something in it.
    pub fn into_nothing(self) -> Result<(), ForgeError> {
        self.into_json()
    }
}
