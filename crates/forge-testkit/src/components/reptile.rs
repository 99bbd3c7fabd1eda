//! `reptile`: adapted and new parameters against the logic of `openai/supervised-reptile`.

use burn::tensor::Tensor;
use forge_meta::adaptation::{InnerOptimizer, Reptile, ReptileConfig};
use forge_meta::functional::{Functional, Params};

use super::maml::mse;
use super::small_net::{Activation, SmallNet, hand_in, hand_in_all};
use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(rename = "hidden_sizes")]
    _hidden_sizes: Vec<usize>,
    activation: Activation,
    inner_optimizer: String,
    inner_lr: f64,
    inner_steps: usize,
    outer_step: f64,
    n_tasks: usize,
    #[serde(default)]
    beta_1: f64,
    #[serde(default)]
    beta_2: f64,
    #[serde(default)]
    epsilon: f64,
    #[serde(default)]
    reset_optimizer: bool,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    let net = SmallNet::load(session, config.activation)?;
    let inner = match config.inner_optimizer.as_str() {
        "sgd" => InnerOptimizer::Sgd {
            rate: config.inner_lr,
        },
        "adam" => InnerOptimizer::Adam {
            rate: config.inner_lr,
            beta_1: config.beta_1,
            beta_2: config.beta_2,
            epsilon: config.epsilon,
        },
        other => return Err(OracleError::new(format!("unknown optimiser '{other}'"))),
    };
    let reptile = ReptileConfig {
        inner,
        outer_step: config.outer_step,
        reset_optimizer: config.reset_optimizer,
    };
    let of = |name: &str| session.input::<4>(name).map(Tensor::inner);
    let (x, y) = (of("x")?, of("y")?);
    let batch = |all: &Tensor<4>, task, step| {
        let task = all.clone().narrow(0, task, 1).squeeze_dim::<3>(0);
        task.narrow(0, step, 1).squeeze_dim::<2>(0)
    };
    let tasks = (0..config.n_tasks).map(|task| {
        let steps = 0..config.inner_steps;
        steps
            .map(|step| (batch(&x, task, step), batch(&y, task, step)))
            .collect()
    });
    let mut reptile = Reptile::new(reptile, Functional::capture(&net, mse))?;
    let step = reptile.step(&Params::of(&net), tasks)?;
    hand_in_all(session, "output/adapted/", &step.adapted, net.len())?;
    hand_in(session, "output/new/", &step.params, net.len())
}
