//! Places in a set of tensors by name.

use std::collections::BTreeMap;

use burn::tensor::{Device, TensorData};

use super::Carried;
use crate::ForgeError;

/// Where something is put: a place in a set of tensors by name.
#[derive(Debug)]
pub struct Named<'a> {
    pub(super) tensors: &'a mut BTreeMap<String, TensorData>,
    pub(super) name: String,
}

/// Where something is found: a place in a set of tensors by name, which are taken out.
#[derive(Debug)]
pub struct Found<'a> {
    pub(super) tensors: &'a mut BTreeMap<String, TensorData>,
    pub(super) name: String,
    pub(super) device: &'a Device,
}

fn below(name: &str, field: &str) -> String {
    match name {
        "" => field.into(),
        name => format!("{name}.{field}"),
    }
}

impl Named<'_> {
    /// Puts `value` under a further part of the name.
    ///
    /// # Errors
    /// As [`Carried::put`].
    pub fn field<T: Carried>(&mut self, field: &str, value: &T) -> Result<(), ForgeError> {
        value.put(Named {
            tensors: self.tensors,
            name: below(&self.name, field),
        })
    }

    pub(super) fn insert(self, data: TensorData) {
        self.tensors.insert(self.name, data);
    }
}

impl Found<'_> {
    /// Takes what is under a further part of the name.
    ///
    /// # Errors
    /// As [`Carried::take`].
    pub fn field<T: Carried>(&mut self, field: &str) -> Result<T, ForgeError> {
        T::take(self.at(field))
    }

    /// Whether anything is under a further part of the name.
    #[must_use]
    pub fn has(&self, field: &str) -> bool {
        Self::any(self.tensors, &below(&self.name, field))
    }

    /// What something under a further part of the name is called.
    #[must_use]
    pub fn path_of(&self, field: &str) -> String {
        below(&self.name, field)
    }

    fn at(&mut self, field: &str) -> Found<'_> {
        Found {
            name: below(&self.name, field),
            tensors: self.tensors,
            device: self.device,
        }
    }

    pub(super) fn any(tensors: &BTreeMap<String, TensorData>, name: &str) -> bool {
        let parts = format!("{name}.");
        tensors.contains_key(name) || tensors.keys().any(|known| known.starts_with(&parts))
    }

    /// The tensor of this name, of so many axes.
    pub(super) fn tensor(self, axes: usize) -> Result<TensorData, ForgeError> {
        let name = &self.name;
        let Some(data) = self.tensors.remove(name) else {
            return Err(ForgeError::weights(format!("{name} is missing")));
        };
        let shape = data.shape();
        if shape.rank() != axes {
            let message = format!("{name} has shape {shape:?}: expected {axes} axes");
            return Err(ForgeError::weights(message));
        }
        Ok(data)
    }

    /// An error about this name.
    pub(super) fn unlike(name: &str, data: &TensorData, what: &str) -> ForgeError {
        ForgeError::weights(format!("{name} holds {:?}: expected {what}", data.dtype()))
    }
}
