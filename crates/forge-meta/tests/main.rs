//! The integration tests of forge-meta, one binary.

#![allow(clippy::unwrap_used)]
#![allow(
    clippy::disallowed_methods,
    reason = "Burn's own operations are what ours are compared with"
)]

mod class_episodes;
mod continual;
mod continual_parts;
mod functional;
mod kinds;
mod laplace;
mod maml;
mod many;
mod meta_training;
mod methods;
mod models;
mod neural_processes;
mod oracle;
mod search;
mod uncertainty;
