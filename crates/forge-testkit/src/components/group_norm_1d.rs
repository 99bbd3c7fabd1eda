//! `group_norm_1d`: `forge_nn::norm::GroupNorm1d` against PyTorch's `nn.GroupNorm`.

use forge_nn::ModuleConfig;
use forge_nn::norm::GroupNorm1dConfig;

use super::by_path::{load, same};
use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    n_channels: usize,
    n_groups: usize,
    eps: f64,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    at_rank_of_x!(session, at_rank)
}

fn at_rank<const D: usize>(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    let module = GroupNorm1dConfig::new(config.n_channels, config.n_groups)
        .with_eps(config.eps)
        .try_init(session.device())?;
    let module = load(session, module, same)?;
    session.output("y", module.forward(session.input::<D>("x")?))
}
