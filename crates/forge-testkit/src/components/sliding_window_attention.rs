//! `sliding_window_attention`: forge-nn's against PyTorch's attention with a banded mask.

use forge_nn::ModuleConfig;
use forge_nn::attention::SlidingWindowAttentionConfig;

use super::attention_core::key_mask;
use super::grouped_query_attention::projections;
use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    d_model: usize,
    n_heads: usize,
    window: usize,
    causal: bool,
    bias: bool,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    let module = SlidingWindowAttentionConfig::new(config.d_model, config.n_heads, config.window)
        .with_causal(config.causal)
        .with_bias(config.bias)
        .try_init(session.device())?;
    let keys = projections([config.d_model; 3], config.bias);
    let module = session.load(module, keys)?;
    let (x, mask) = (session.input("x")?, key_mask(session)?);
    session.output("y", module.forward(x, mask, None))
}
