//! Architectures found by gradients.
//!
//! - [`Darts`]: the gradient of the validation loss for the strengths of operations, through a step of
//!   the weights.
//! - [`gumbel_softmax()`]: a choice that gradients flow through.
//! - [`strongest_edges`]: what is left of the strengths in the end.

mod darts;
mod gumbel_softmax;
mod strongest;

pub use darts::{ArchitectureGradient, Darts, DartsConfig, Unrolling};
pub use gumbel_softmax::{gumbel_noise, gumbel_softmax};
pub use strongest::{Edge, strongest_edges};
