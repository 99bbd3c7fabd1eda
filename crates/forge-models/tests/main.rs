//! The integration tests of forge-models, one binary.

#![allow(clippy::unwrap_used)]

mod battery;
mod causal;
mod num_embeddings;
mod oracle;
mod reference;
mod registry;
mod saint;
mod saint_pretrain;
mod tabm;
mod tabnet;
mod tabpfn_v1;
