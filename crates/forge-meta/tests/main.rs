//! The integration tests of forge-meta, one binary.

#![allow(clippy::unwrap_used)]

mod functional;
mod kinds;
mod models;
