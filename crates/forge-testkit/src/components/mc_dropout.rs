//! `mc_dropout`: mean, spread and likelihood of samples against `yaringal/DropoutUncertaintyExps`; the
//! network's masks are given.

use burn::tensor::{Int, Tensor, TensorData, activation::relu};
use forge_nn::ops::Axes;
use forge_train::metric::{RegressionMetrics, monte_carlo_log_likelihood};
use forge_train::objective::{Predictions, SpreadPredictions};

use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    dropout: f64,
    tau: f64,
    n_samples: usize,
    #[serde(rename = "d_in")]
    _d_in: usize,
    #[serde(rename = "d_hidden")]
    _d_hidden: usize,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    let mask = |name: &str| -> Result<Tensor<3>, OracleError> {
        let mask: Option<Tensor<3, Int>> = session.optional_int(name)?;
        let mask = mask.ok_or_else(|| OracleError::new(format!("input/{name} is missing")))?;
        Ok(session
            .floats(mask)
            .mul_scalar(1.0 / (1.0 - config.dropout)))
    };
    let (on_input, on_hidden) = (mask("mask_0")?, mask("mask_1")?);
    let weight = |layer: &str| session.param::<2>(&format!("{layer}.weight"));
    let bias = |layer: &str| session.param::<1>(&format!("{layer}.bias"));
    let linear = |x: Tensor<2>, w: &Tensor<2>, b: &Tensor<1>| {
        x.matmul(w.clone().transposed()).add(b.clone().unsqueeze())
    };
    let layers = [
        (weight("fc1")?, bias("fc1")?),
        (weight("fc2")?, bias("fc2")?),
    ];
    let x = session.input::<2>("x")?;
    let mut samples = vec![];
    for s in 0..config.n_samples {
        let of = |mask: &Tensor<3>| mask.clone().narrow(0, s, 1).squeeze_dim::<2>(0);
        let hidden = linear(x.clone().mul(of(&on_input)), &layers[0].0, &layers[0].1);
        let hidden = relu(hidden).mul(of(&on_hidden));
        samples.push(linear(hidden, &layers[1].0, &layers[1].1));
    }
    let rows = x.dims()[0];
    let each: Vec<Vec<f64>> = samples
        .iter()
        .map(|y| y.to_data().iter::<f64>().collect())
        .collect();
    let passes: Vec<Predictions> = each
        .iter()
        .map(|values| Predictions::Values {
            slots: 1,
            values: values.clone(),
        })
        .collect();
    let said = SpreadPredictions::of(&passes)?;
    let variance: Vec<f64> = said.spread.iter().map(|s| s * s).collect();
    let predictive = variance.iter().map(|v| v + 1.0 / config.tau).collect();
    let target = session.values("input/target")?;
    let rmse = RegressionMetrics::compute(&said.mean.point(), &target)?.rmse;
    let likelihood = monte_carlo_log_likelihood(&each, &target, config.tau)?;
    let hand_in = |name: &str, values: Vec<f64>, shape: &[usize]| {
        let data = TensorData::new(values, shape.to_vec());
        session.compare(&format!("output/{name}"), data);
    };
    hand_in("mean", said.mean.point(), &[rows, 1]);
    hand_in("variance", variance, &[rows, 1]);
    hand_in("predictive_variance", predictive, &[rows, 1]);
    hand_in("rmse", vec![rmse], &[1]);
    hand_in("log_likelihood", vec![likelihood], &[1]);
    session.output("y", Tensor::stack::<3>(samples, 0))
}
