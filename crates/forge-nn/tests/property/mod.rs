//! What the components mean, beyond their numbers.

mod activation;
mod attention;
mod mode;
mod norm;
mod position;
mod regularisation;
mod shards;
mod special;
