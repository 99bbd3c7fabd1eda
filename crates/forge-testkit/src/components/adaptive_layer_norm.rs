//! `adaptive_layer_norm`: `forge_nn::norm::AdaptiveLayerNorm` against the DiT convention.

use forge_nn::ModuleConfig;
use forge_nn::norm::{AdaptiveLayerNormConfig, CondActivation};

use super::by_path::{load, same};
use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    d_model: usize,
    d_cond: usize,
    eps: f64,
    cond_activation: CondActivation,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    at_rank_of_x!(session, at_rank)
}

fn at_rank<const D: usize>(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    let module = AdaptiveLayerNormConfig::new(config.d_model, config.d_cond)
        .with_eps(config.eps)
        .with_cond_activation(config.cond_activation)
        .try_init(session.device())?;
    let module = load(session, module, same)?;
    let (x, cond) = (session.input::<D>("x")?, session.input("cond")?);
    session.output("y", module.forward(x, cond))
}
