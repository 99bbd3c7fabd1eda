//! Which attention a layer has.

use serde::{Deserialize, Serialize};

/// What a token attends to, and how many key and value heads there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttentionKind {
    /// All tokens; as many key/value heads as query heads, whatever `n_kv_heads` says.
    #[default]
    MultiHead,
    /// All tokens; one key/value head, whatever `n_kv_heads` says.
    MultiQuery,
    /// All tokens; `n_kv_heads` key/value heads.
    GroupedQuery,
    /// All tokens by sums of features instead of a softmax, in time linear in the sequence;
    /// `n_kv_heads` key/value heads.
    Linear,
    /// `window` neighbours, before it alone where the model is causal; `n_kv_heads` key/value heads.
    SlidingWindow,
}

impl AttentionKind {
    /// Key/value heads of a layer with `heads` query heads, where the config names `groups`.
    pub(super) fn kv_heads(self, heads: usize, groups: Option<usize>) -> usize {
        match self {
            Self::MultiHead => heads,
            Self::MultiQuery => 1,
            Self::GroupedQuery | Self::Linear | Self::SlidingWindow => groups.unwrap_or(heads),
        }
    }
}
