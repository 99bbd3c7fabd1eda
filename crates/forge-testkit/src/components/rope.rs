//! `rope`: `forge_nn::position::RotaryEmbedding` against transformers' LLaMA and GPT-J.

use forge_nn::ModuleConfig;
use forge_nn::position::{RotaryEmbeddingConfig, RotaryLayout};

use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    layout: RotaryLayout,
    theta: f64,
    rotary_dim: usize,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    let module = RotaryEmbeddingConfig::new(config.rotary_dim)
        .with_theta(config.theta)
        .with_layout(config.layout)
        .try_init(session.device())?;
    let positions = session.values("input/positions")?;
    let positions: Vec<i64> = positions.iter().map(|&position| position as i64).collect();
    let x = session.input("x")?;
    let tables = module.tables(&positions, session.device(), x.dtype());
    session.output("cos", tables.cos.clone())?;
    session.output("sin", tables.sin.clone())?;
    session.output("y", module.rotate(x, &tables))
}
