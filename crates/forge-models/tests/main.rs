//! The integration tests of forge-models, one binary.

#![allow(clippy::unwrap_used)]

mod backbones;
mod battery;
mod candidates;
mod causal;
mod forecast_battery;
mod forecast_models;
mod forecast_oracle;
mod forecast_parts;
mod importance;
mod long_sequences;
mod num_embeddings;
mod oracle;
mod pretrained;
mod realmlp;
mod reference;
mod registry;
mod saint;
mod saint_pretrain;
mod tabicl;
mod tabm;
mod tabnet;
mod tabpfn_ensembles;
mod tabpfn_v1;
mod tabpfn_v2;
