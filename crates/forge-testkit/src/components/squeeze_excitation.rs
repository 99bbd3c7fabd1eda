//! `squeeze_excitation`: `forge_nn::gating::SqueezeExcitation` against timm's.

use forge_nn::ModuleConfig;
use forge_nn::gating::SqueezeExcitationConfig;

use super::by_path::{load, same};
use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    n_channels: usize,
    hidden: usize,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    at_rank_of_x!(session, at_rank)
}

fn at_rank<const D: usize>(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    let module = SqueezeExcitationConfig::new(config.n_channels, config.hidden)
        .try_init(session.device())?;
    let module = load(session, module, same)?;
    let x = session.input::<D>("x")?;
    session.output("gate", module.gate(x.clone()))?;
    session.output("y", module.forward(x))
}
