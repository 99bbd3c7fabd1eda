//! Convolutions over time.

mod causal_conv1d;

pub use causal_conv1d::{CausalConv1d, CausalConv1dConfig};
