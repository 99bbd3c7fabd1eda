//! `hyper_mixer`: the token mixing of `forge_models::HyperMixer` against the authors' code.

use forge_models::{HyperMixingConfig, KeyMap};
use forge_nn::ModuleConfig;

use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    input_output_dim: usize,
    hypernet_size: usize,
    num_heads: usize,
    max_length: usize,
    use_layer_norm: bool,
    hypernetwork_bias: bool,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    let mixing = HyperMixingConfig {
        d_model: config.input_output_dim,
        d_hypernet: config.hypernet_size,
        n_heads: config.num_heads,
        hypernet_bias: config.hypernetwork_bias,
        layer_norm: config.use_layer_norm,
    };
    let module = mixing.try_init(session.device())?;
    let module = session.load(module, mixing.key_map(KeyMap::new(), "", ""))?;
    let x = session.input::<3>("x")?;
    if x.dims()[1] >= config.max_length {
        return Err(OracleError::new(
            "x is longer than the reference's positions",
        ));
    }
    session.output("y", module.forward(x, None))
}
