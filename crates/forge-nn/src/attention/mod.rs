//! Attention layers, all over [`ops::attention`](crate::ops::attention): masks are `true` where a
//! key may be attended to, a query that may attend to nothing gets zeros and passes on no gradient.
//!
//! Maps on request (`forward_with_map`) are the weights after the softmax and before dropout,
//! `[B, H, Tq, Tk]`; asking for them costs `O(Tq · Tk)` memory. The causal layers read a sequence
//! piece by piece with a [`KvCache`] (linear attention with a [`LinearAttentionState`]) and give
//! what they would have given for the whole of it.

mod cross_attention;
mod grouped_query_attention;
mod heads;
mod kv_cache;
mod linear_attention;
mod linear_attention_core;
mod multi_head_attention;
mod sliding_window_attention;

pub use cross_attention::{CrossAttention, CrossAttentionConfig};
pub use grouped_query_attention::{GroupedQueryAttention, GroupedQueryAttentionConfig};
pub use heads::{merge_heads, split_heads};
pub use kv_cache::KvCache;
pub use linear_attention::{LinearAttention, LinearAttentionConfig};
pub use linear_attention_core::{
    LinearAttentionState, linear_attention, linear_attention_causal, linear_attention_rotary,
    linear_attention_rotary_causal,
};
pub use multi_head_attention::{
    InputProjection, MultiHeadAttention, MultiHeadAttentionConfig, SeparateProjections,
};
pub use sliding_window_attention::SlidingWindowAttentionConfig;
