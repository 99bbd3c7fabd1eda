//! Every architecture of volatilityforge, and the registry that names them.

mod contract;

pub use contract::{Capabilities, TabularInput, TabularModel, TabularSpec};
