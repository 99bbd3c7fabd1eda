//! `frelu`: `forge_nn::activation::FRelu1d` and `FRelu2d` against the authors' formula.

use forge_nn::ModuleConfig;
use forge_nn::activation::{FRelu1dConfig, FRelu2dConfig};

use super::by_path::load;
use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    n_channels: usize,
    kernel_size: usize,
    train: bool,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    if config.train != session.is_train() {
        return Err(OracleError::new("'train' contradicts the mode"));
    }
    if session.shape("input/x")?.len() == 3 {
        let module = FRelu1dConfig::new(config.n_channels)
            .with_kernel_size(config.kernel_size)
            .try_init(session.device())?;
        let module = load(session, module, theirs)?;
        session.output("y", module.forward(session.input("x")?))
    } else {
        let module = FRelu2dConfig::new(config.n_channels)
            .with_kernel_size(config.kernel_size)
            .try_init(session.device())?;
        let module = load(session, module, theirs)?;
        session.output("y", module.forward(session.input("x")?))
    }
}

fn theirs(name: &str) -> String {
    name.replacen('.', "_frelu.", 1)
}
