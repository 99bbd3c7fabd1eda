//! The integration tests of forge-models, one binary.

#![allow(clippy::unwrap_used)]

mod conformance;
mod oracle;
mod reference;
mod registry;
