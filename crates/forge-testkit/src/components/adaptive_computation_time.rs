//! `act`: `forge_nn::adaptive_computation::AdaptiveComputationTime` against Graves's equations.

use forge_nn::ModuleConfig;
use forge_nn::adaptive_computation::AdaptiveComputationTimeConfig;

use super::by_path::load;
use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    d_in: usize,
    d_hidden: usize,
    d_out: usize,
    epsilon: f64,
    max_steps: usize,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    let (from, hidden, to) = (config.d_in, config.d_hidden, config.d_out);
    let module = AdaptiveComputationTimeConfig::new(from, hidden, to)
        .with_epsilon(config.epsilon)
        .with_max_steps(config.max_steps)
        .try_init(session.device())?;
    let module = load(session, module, theirs)?;
    let result = module.forward(session.input("x")?, session.optional_input("state")?);
    session.compare("output/n_steps", result.n_steps.into_data());
    session.output("remainder", result.remainder)?;
    session.output("halting", result.halting)?;
    session.output("state", result.state)?;
    session.output("ponder", result.ponder)?;
    session.output("y", result.output)
}

fn theirs(name: &str) -> String {
    let (layer, rest) = name.split_once('.').unwrap_or((name, ""));
    match layer {
        "input" => format!("cell.{rest}_ih"),
        "recurrent" => format!("cell.{rest}_hh"),
        "output" => format!("out.{rest}"),
        _ => name.into(),
    }
}
