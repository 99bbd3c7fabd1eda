//! `ewc`: Fisher information and penalty against per-sample gradients of PyTorch.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor};
use forge_meta::continual::{Ewc, EwcConfig, categorical_fisher, empirical_fisher};
use forge_meta::functional::{Functional, ParamTensor, Params};
use forge_nn::ops::Axes;

use super::small_net::{Activation, SmallNet, hand_in};
use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    fisher: String,
    likelihood: String,
    lambda: f64,
    #[serde(rename = "hidden_sizes")]
    _hidden_sizes: Vec<usize>,
    activation: Activation,
    #[serde(default)]
    sigma: f64,
}

fn says(net: &SmallNet, (x,): (Tensor<2>,)) -> Tensor<2> {
    log_softmax(net.forward(x), 1)
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    let net = SmallNet::load(session, config.activation)?;
    let (optimum, layers) = (Params::of(&net), net.len());
    let x = session.input::<2>("x")?.inner();
    let fisher = match (config.likelihood.as_str(), config.fisher.as_str()) {
        ("categorical", "empirical") => {
            let y: Option<Tensor<1, Int>> = session.optional_int("y")?;
            let y = y
                .ok_or_else(|| OracleError::new("input/y is missing"))?
                .inner();
            let loss = |net: &SmallNet, (x, y): (Tensor<2>, Tensor<1, Int>)| {
                says(net, (x,)).gather(1, y.unsqueeze_dim(1)).neg().sum()
            };
            empirical_fisher(&Functional::capture(&net, loss), &optimum, (x, y))?
        }
        ("categorical", "exact") => {
            // The labels are not needed.
            session.optional_int::<1>("y")?;
            categorical_fisher(&Functional::capture(&net, says), &optimum, (x,))?
        }
        ("gaussian", "empirical") => {
            let y = session.input::<2>("y")?.inner();
            let scale = 0.5 / (config.sigma * config.sigma);
            let loss = move |net: &SmallNet, (x, y): (Tensor<2>, Tensor<2>)| {
                (net.forward(x) - y).square().sum() * scale
            };
            empirical_fisher(&Functional::capture(&net, loss), &optimum, (x, y))?
        }
        (likelihood, fisher) => {
            return Err(OracleError::new(format!("unknown: {likelihood}, {fisher}")));
        }
    };
    hand_in(session, "output/fisher/", &fisher, layers)?;
    let mut current = vec![];
    for layer in 0..layers {
        let weight = session.input::<2>(&format!("theta/{layer}.weight"))?;
        let bias = session.input::<1>(&format!("theta/{layer}.bias"))?;
        current.push((
            format!("layers.{layer}.weight"),
            ParamTensor::new(weight.transposed()),
        ));
        current.push((format!("layers.{layer}.bias"), ParamTensor::new(bias)));
    }
    let mut ewc = Ewc::new(EwcConfig {
        lambda: config.lambda,
        online: None,
    })?;
    ewc.consolidate(&fisher, &optimum)?;
    let current = Params::from_entries(current).require_grad();
    let penalty = ewc.penalty(&current)?;
    let penalty = penalty.ok_or_else(|| OracleError::new("there is no penalty"))?;
    session.compare("output/penalty", penalty.to_data());
    let gradients = current.gradients(&penalty.backward());
    hand_in(session, "grad_input/theta/", &gradients, layers)
}
