//! The integration tests of forge-meta, one binary.

#![allow(clippy::unwrap_used)]

mod continual;
mod continual_parts;
mod functional;
mod kinds;
mod maml;
mod methods;
mod models;
mod oracle;
mod uncertainty;
