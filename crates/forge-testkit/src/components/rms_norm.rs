//! `rms_norm`: `forge_nn::norm::RmsNorm` against PyTorch's.

use forge_nn::ModuleConfig;
use forge_nn::norm::RmsNormConfig;
use forge_nn::parameters::KeyMap;

use crate::oracle::{OracleError, Session};

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: RmsNormConfig = session.config()?;
    let keys = KeyMap::new().same("weight", "weight");
    let norm = session.load(config.try_init(session.device())?, keys)?;
    let y = norm.forward(session.input_rows("x")?);
    session.output_rows("y", y)
}
