//! The layers of forge-nn that the oracle runner knows, by the names of the cases.
//!
//! A component is one file here: a function that reads its config, parameters and inputs from a
//! [`Session`] and hands in its outputs. The runner does the rest. To add one: its file, and its
//! line in [`ALL`].

mod rms_norm;

use crate::oracle::{OracleError, Session};

/// A layer or function that has cases.
#[derive(Debug, Clone, Copy)]
pub struct Component {
    /// `model` in the metadata of its cases.
    pub name: &'static str,
    /// Computes the outputs.
    pub run: fn(&Session<'_>) -> Result<(), OracleError>,
}

/// All of them, in name order.
pub const ALL: &[Component] = &[Component {
    name: "rms_norm",
    run: rms_norm::run,
}];

/// The component called `name`.
#[must_use]
pub fn find(name: &str) -> Option<&'static Component> {
    ALL.iter().find(|component| component.name == name)
}
