//! `star_relu`: `forge_nn::activation::StarRelu` against timm's.

use forge_nn::ModuleConfig;
use forge_nn::activation::StarReluConfig;

use super::by_path::{load, same};
use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    learnable: bool,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    let module = StarReluConfig::new()
        .with_learnable(config.learnable)
        .try_init(session.device())?;
    let module = load(session, module, same)?;
    session.output_rows("y", module.forward(session.input_rows("x")?))
}
