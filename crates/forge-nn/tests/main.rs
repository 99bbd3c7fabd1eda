//! The integration tests of forge-nn, one binary.
#![allow(clippy::unwrap_used)]

mod ops;
