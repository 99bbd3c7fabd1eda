//! `multi_head_attention`: forge-nn's against PyTorch's `nn.MultiheadAttention`.

use forge_nn::ModuleConfig;
use forge_nn::attention::MultiHeadAttentionConfig;

use super::attention_core::key_mask;
use super::by_path::load;
use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    d_model: usize,
    n_heads: usize,
    bias: bool,
    causal: bool,
    k_dim: Option<usize>,
    v_dim: Option<usize>,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    let module = MultiHeadAttentionConfig::new(config.d_model, config.n_heads)
        .with_bias(config.bias)
        .with_causal(config.causal)
        .with_k_dim(config.k_dim)
        .with_v_dim(config.v_dim)
        .try_init(session.device())?;
    let module = load(session, module, theirs)?;
    let (x, mask) = (session.input("x")?, key_mask(session)?);
    let (y, map) = match session.optional_input("key")? {
        Some(key) => module.forward_cross_with_map(x, key, session.input("value")?, mask, None),
        None => module.forward_with_map(x, mask, None),
    };
    session.output("attention", map)?;
    session.output("y", y)
}

fn theirs(name: &str) -> String {
    let Some(part) = name.strip_prefix("in_proj.") else {
        return name.into();
    };
    match part.split_once('.') {
        Some((side, rest)) => format!("{side}_proj_{rest}"),
        None => format!("in_proj_{part}"),
    }
}
