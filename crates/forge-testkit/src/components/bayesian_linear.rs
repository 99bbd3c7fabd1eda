//! `bayesian_linear`: outputs and divergence with given noise, against PyTorch.

use burn::tensor::{Tensor, TensorData};
use forge_meta::bayesian::{BayesianLinearConfig, LinearNoise, Sampling};
use forge_nn::ModuleConfig;
use forge_nn::ops::Axes;
use forge_nn::parameters::KeyMap;

use crate::gradients_by_name;
use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    sampling: Sampling,
    prior_sigma: f64,
    prior_mu: f64,
    d_in: usize,
    d_out: usize,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    let layer = BayesianLinearConfig {
        prior_sigma: config.prior_sigma,
        prior_mu: config.prior_mu,
        sampling: config.sampling,
        ..BayesianLinearConfig::new(config.d_in, config.d_out)
    };
    let keys = || {
        let keys = KeyMap::new()
            .transposed("weight_mu", "weight_mu")
            .transposed("weight_rho", "weight_rho");
        keys.same("bias_mu", "bias_mu").same("bias_rho", "bias_rho")
    };
    let layer = session.load(layer.try_init(session.device())?, keys())?;
    let noise = match config.sampling {
        Sampling::Local => LinearNoise::Output(session.input("eps_output")?),
        Sampling::Weight => {
            let weight: Tensor<2> = session.input("eps_weight")?;
            LinearNoise::Weight(weight.transposed(), session.input("eps_bias")?)
        }
    };
    let kl = layer.kl();
    session.compare("output/kl", kl.to_data());
    let gradients = gradients_by_name(&layer, &kl.backward());
    let gradients: std::collections::BTreeMap<String, TensorData> =
        keys().to_reference(&gradients)?;
    for (name, data) in gradients {
        session.compare(&format!("grad_kl/{name}"), data);
    }
    session.output("y", layer.forward_with(session.input("x")?, noise))
}
