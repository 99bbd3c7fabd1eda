//! `maml`: meta-losses, adapted parameters and meta-gradients against `torchopt`.

use burn::tensor::{Tensor, TensorData};
use forge_meta::adaptation::{Maml, MamlConfig, Order, Task};
use forge_meta::functional::{Functional, Params};

use super::small_net::{Activation, SmallNet, hand_in, hand_in_all};
use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(rename = "hidden_sizes")]
    _hidden_sizes: Vec<usize>,
    activation: Activation,
    inner_lr: f64,
    inner_steps: usize,
    n_tasks: usize,
}

pub(super) type Batch = (Tensor<2>, Tensor<2>);

pub(super) fn mse(net: &SmallNet, (x, y): Batch) -> Tensor<1> {
    (net.forward(x) - y).square().mean()
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    let net = SmallNet::load(session, config.activation)?;
    let (params, layers) = (Params::of(&net), net.len());
    let of = |name: &str| session.input::<3>(name).map(Tensor::inner);
    let (sx, sy) = (of("support_x")?, of("support_y")?);
    let (qx, qy) = (of("query_x")?, of("query_y")?);
    let row = |all: &Tensor<3>, task| all.clone().narrow(0, task, 1).squeeze_dim::<2>(0);
    let tasks: Vec<Task<Batch>> = (0..config.n_tasks)
        .map(|task| Task {
            support: (row(&sx, task), row(&sy, task)),
            query: (row(&qx, task), row(&qy, task)),
        })
        .collect();
    let maml = |order| {
        let config = MamlConfig {
            inner_rate: config.inner_lr,
            inner_steps: config.inner_steps,
            order,
            ..MamlConfig::default()
        };
        Maml::new(config, Functional::capture(&net, mse))
    };
    let exact = maml(Order::Second)?;
    let mut adapted = vec![];
    let mut before = vec![];
    for task in &tasks {
        adapted.push(exact.adapt(&params, task.support.clone())?);
        let loss = exact.loss().call(&params, task.query.clone())?;
        before.push(loss.into_scalar::<f64>());
    }
    let meta = exact.meta_gradient(&params, None, tasks.clone())?;
    let vector = |values: Vec<f64>| {
        let len = values.len();
        TensorData::new(values, [len])
    };
    session.compare("output/query_loss", vector(meta.losses));
    session.compare("output/query_loss_before", vector(before));
    session.compare("output/meta_loss", vector(vec![meta.loss]));
    hand_in_all(session, "output/adapted/", &adapted, layers)?;
    hand_in(session, "grad/", &meta.gradient, layers)?;
    let first = maml(Order::First)?.meta_gradient(&params, None, tasks)?;
    hand_in(session, "grad_first_order/", &first.gradient, layers)
}
