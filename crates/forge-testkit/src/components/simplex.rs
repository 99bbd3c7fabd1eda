//! `sparsemax` and `entmax15` against the `entmax` package.

use forge_nn::activation::{entmax15, sparsemax};

use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    dim: i64,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    at_rank_of_x!(session, at_rank)
}

fn at_rank<const D: usize>(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    // PyTorch counts negative axes from the end.
    let dim = if config.dim < 0 {
        config.dim + D as i64
    } else {
        config.dim
    };
    let dim = usize::try_from(dim).ok().filter(|&dim| dim < D);
    let dim = dim.ok_or_else(|| OracleError::new(format!("input/x has no axis {}", config.dim)))?;
    let x = session.input::<D>("x")?;
    let y = match session.case().model.as_str() {
        "sparsemax" => sparsemax(x, dim),
        _ => entmax15(x, dim),
    };
    session.output("y", y)
}
