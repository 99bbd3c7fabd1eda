//! The integration tests of forge-models, one binary.

#![allow(clippy::unwrap_used)]

mod battery;
mod causal;
mod oracle;
mod realmlp;
mod reference;
mod registry;
mod saint;
mod saint_pretrain;
mod tabnet;
mod tabpfn_v1;
