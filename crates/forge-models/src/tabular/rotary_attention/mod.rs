//! Self-attention with rotary positions, of any kind: what the current transformers here share.

mod kind;
mod self_attention;
mod shape;
mod stack;
mod state;
mod streaming;

pub use kind::AttentionKind;
pub(super) use self_attention::SelfAttention;
pub(super) use shape::AttentionShape;
pub use stack::TransformerStack;
pub use state::{LayerState, TransformerState};
pub(super) use streaming::Layer;
