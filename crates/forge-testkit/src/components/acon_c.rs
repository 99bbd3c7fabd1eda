//! `acon_c`: `forge_nn::activation::AconC` against the authors' formula.

use forge_nn::ModuleConfig;
use forge_nn::activation::AconCConfig;

use super::by_path::{load, same};
use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    n_channels: usize,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    at_rank_of_x!(session, at_rank)
}

fn at_rank<const D: usize>(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    let module = AconCConfig::new(config.n_channels).try_init(session.device())?;
    let module = load(session, module, same)?;
    session.output("y", module.forward(session.input::<D>("x")?))
}
