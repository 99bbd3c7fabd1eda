//! `grouped_query_attention`, and `qk_norm`, which is the same layer with normalised queries and
//! keys, against PyTorch's parts.

use forge_nn::ModuleConfig;
use forge_nn::attention::GroupedQueryAttentionConfig;
use forge_nn::norm::QkNormKind;

use super::attention_core::key_mask;
use super::by_path::load;
use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    d_model: usize,
    n_heads: usize,
    n_kv_heads: usize,
    head_dim: usize,
    causal: bool,
    bias: bool,
    norm: Option<QkNormKind>,
    eps: Option<f64>,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    let (heads, kv_heads) = (config.n_heads, config.n_kv_heads);
    let mut recipe = GroupedQueryAttentionConfig::new(config.d_model, heads, kv_heads)
        .with_head_dim(Some(config.head_dim))
        .with_causal(config.causal)
        .with_bias(config.bias)
        .with_qk_norm(config.norm);
    match (config.norm, config.eps) {
        (Some(_), Some(eps)) => recipe = recipe.with_qk_norm_eps(eps),
        (None, None) => {}
        _ => return Err(OracleError::new("'norm' and 'eps' go together")),
    }
    let module = load(session, recipe.try_init(session.device())?, theirs)?;
    let (x, mask) = (session.input("x")?, key_mask(session)?);
    session.output("y", module.forward(x, mask, None))
}

fn theirs(name: &str) -> String {
    name.trim_start_matches("qk_norm.").into()
}
