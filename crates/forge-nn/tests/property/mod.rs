//! What the components mean, beyond their numbers.

mod activation;
mod norm;
mod regularisation;
