//! What the components mean, beyond their numbers.

mod activation;
mod adaptive_computation;
mod attention;
mod mode;
mod norm;
mod pooling;
mod position;
mod quantum_inspired_linear;
mod recurrent;
mod regularisation;
mod shards;
