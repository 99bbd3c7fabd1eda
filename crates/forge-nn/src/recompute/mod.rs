//! Blocks whose inside is computed again in the backward pass instead of being kept.

mod block;
mod graph;
mod scope;

pub use block::recomputed;
pub(crate) use scope::carried as carried_scope;
pub use scope::with_recomputation;
