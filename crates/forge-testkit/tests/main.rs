//! The integration tests of forge-testkit, one binary.

#![allow(clippy::unwrap_used)]

mod gradient_check;
mod oracle;
