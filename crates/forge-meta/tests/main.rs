//! The integration tests of forge-meta, one binary.

#![allow(clippy::unwrap_used)]

mod functional;
mod kinds;
mod maml;
mod methods;
mod models;
mod oracle;
mod search;
mod uncertainty;
