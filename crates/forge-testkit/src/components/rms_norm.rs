//! `rms_norm`: `forge_nn`'s against PyTorch's.

use burn::tensor::Tensor;

use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    d_model: usize,
    eps: f64,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    let weight: Tensor<1> = session.param("weight")?;
    if weight.dims() != [config.d_model] {
        return Err(OracleError::new("weight is not d_model wide"));
    }
    let x = session.input_rows("x")?;
    let root = (x.clone().square().mean_dim(1) + config.eps).sqrt();
    session.output_rows("y", x / root * weight.unsqueeze())
}
