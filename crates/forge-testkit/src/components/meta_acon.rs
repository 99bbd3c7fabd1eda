//! `meta_acon`: `forge_nn::activation::MetaAcon` against the authors' formula.

use forge_nn::ModuleConfig;
use forge_nn::activation::MetaAconConfig;

use super::by_path::{load, same};
use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    n_channels: usize,
    reduction: usize,
    hidden: usize,
    train: bool,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    at_rank_of_x!(session, at_rank)
}

fn at_rank<const D: usize>(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    let recipe = MetaAconConfig::new(config.n_channels).with_reduction(config.reduction);
    recipe.validate()?;
    let hidden = config.reduction.max(config.n_channels / config.reduction);
    if hidden != config.hidden || config.train != session.is_train() {
        return Err(OracleError::new("'hidden' or 'train' contradicts the case"));
    }
    let module = load(session, recipe.try_init(session.device())?, same)?;
    let x = session.input::<D>("x")?;
    let beta = module.switching_factor(x.clone());
    session.output("beta", beta.clone())?;
    session.output("y", module.forward_with(x, beta))
}
