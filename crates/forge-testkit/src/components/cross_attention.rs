//! `cross_attention`: forge-nn's against PyTorch's parts.

use forge_nn::ModuleConfig;
use forge_nn::attention::CrossAttentionConfig;

use super::attention_core::key_mask;
use super::by_path::{load, same};
use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    d_model: usize,
    d_context: usize,
    n_heads: usize,
    bias: bool,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    let module = CrossAttentionConfig::new(config.d_model, config.d_context, config.n_heads)
        .with_bias(config.bias)
        .try_init(session.device())?;
    let module = load(session, module, same)?;
    let (x, context) = (session.input("x")?, session.input("context")?);
    session.output("y", module.forward(x, context, key_mask(session)?, None))
}
