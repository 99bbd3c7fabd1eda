//! The integration tests of forge-models, one binary.

#![allow(clippy::unwrap_used)]

mod battery;
mod oracle;
mod reference;
mod registry;
