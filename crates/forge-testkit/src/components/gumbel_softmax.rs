//! `gumbel_softmax`: relaxed and hard choices against PyTorch.

use forge_meta::search::gumbel_softmax;

use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    temperature: f64,
    hard: bool,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    let (logits, noise) = (session.input("logits")?, session.input("gumbel")?);
    let choose = |hard| gumbel_softmax(logits.clone(), noise.clone(), config.temperature, hard);
    session.output("soft", choose(false)?)?;
    session.output("y", choose(config.hard)?)
}
