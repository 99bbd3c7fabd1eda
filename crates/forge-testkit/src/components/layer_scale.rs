//! `layer_scale`: `forge_nn::norm::LayerScale` against its formula.

use forge_nn::ModuleConfig;
use forge_nn::norm::LayerScaleConfig;

use super::by_path::{load, same};
use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    d_model: usize,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    let module = LayerScaleConfig::new(config.d_model).try_init(session.device())?;
    let module = load(session, module, same)?;
    session.output_rows("y", module.forward(session.input_rows("x")?))
}
