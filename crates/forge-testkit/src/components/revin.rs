//! `revin`: `forge_nn::norm::RevIn` against the authors' code.

use forge_nn::ModuleConfig;
use forge_nn::norm::RevInConfig;

use super::by_path::{load, same};
use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    num_features: usize,
    eps: f64,
    affine: bool,
    subtract_last: bool,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    let module = RevInConfig::new(config.num_features)
        .with_eps(config.eps)
        .with_affine(config.affine)
        .with_subtract_last(config.subtract_last)
        .try_init(session.device())?;
    let module = load(session, module, same)?;
    let (normalized, statistics) = module.normalize(session.input("x")?);
    let centre = if config.subtract_last { "last" } else { "mean" };
    session.output(centre, statistics.centre.clone())?;
    session.output("stdev", statistics.deviation.clone())?;
    session.output("normalized", normalized.clone())?;
    let forecast = normalized * session.input("z")?;
    session.output("y", module.denormalize(forecast, &statistics))
}
