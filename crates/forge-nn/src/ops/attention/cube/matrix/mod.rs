//! Attention by whole products, for devices whose matrix units outrun everything else: blocks of
//! scores go through memory, between Burn's products and two programs over their rows.
//!
//! A block holds at most [`BLOCK`] scores, whatever the number of tokens. Scores and sums are kept
//! in the type of sums, weights in that of the inputs, which is what the matrix units take.

mod backward;
mod block;
mod forward;
mod pays;
mod program;
mod rows;

pub(super) use backward::backward;
pub(super) use forward::forward;
pub(super) use pays::pays;

/// Scores of a block, at most: 128 MiB in f32. Larger blocks gain nothing.
const BLOCK: usize = 1 << 25;
