//! `proxyless`: gradients of gates and strengths on one edge against `mit-han-lab/proxylessnas`.

use burn::module::Module;
use burn::tensor::activation::tanh;
use burn::tensor::{Tensor, TensorData};
use forge_meta::search::{GateMode, GatedPaths, path_probabilities};
use forge_nn::ops::Axes;
use forge_nn::parameters::KeyMap;
use forge_nn::{Linear, LinearConfig, ModuleConfig};

use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    Full,
    Two,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    gate_mode: Mode,
    active: usize,
    inactive: Option<usize>,
    candidate_ops: Vec<String>,
    arch_lr: f64,
}

#[derive(Module, Debug)]
struct Edge {
    linear: Linear,
    linear_tanh: Linear,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    if config.candidate_ops != ["identity", "zero", "linear", "linear_tanh"] {
        let found = format!("other operations: {:?}", config.candidate_ops);
        return Err(OracleError::new(found));
    }
    let mode = match config.gate_mode {
        Mode::Full => GateMode::Full,
        Mode::Two => GateMode::TwoPaths,
    };
    let paths = GatedPaths {
        active: config.active,
        inactive: config.inactive,
    };
    if (mode == GateMode::TwoPaths) != paths.inactive.is_some() {
        return Err(OracleError::new(
            "two paths need an inactive one, all paths none",
        ));
    }
    let x = session.input::<2>("x")?;
    let cot = session.input::<2>("cot")?.inner();
    let (width, device) = (x.dims()[1], session.device());
    let keys = KeyMap::new()
        .linear("linear", "op_2")
        .linear("linear_tanh", "op_3");
    let alpha = session.values("param/alpha")?;
    let mut params = session.params();
    params.tensors.remove("alpha");
    let square = || LinearConfig::new(width, width).init(device);
    let edge = Edge {
        linear: square(),
        linear_tanh: square(),
    };
    let like = forge_nn::StateDict::from_module(&edge)?;
    let edge = keys.to_module(&params, &like)?.load_into(edge)?;

    let count = alpha.len();
    let like = x.clone().inner();
    let data = TensorData::new(paths.gates(count), [count]);
    let gates = Tensor::<1>::from_data(data, (&x.device(), like.dtype())).require_grad();
    let members = paths.members(count);
    let said = members.iter().map(|k| {
        let said = match k {
            0 => x.clone(),
            1 => x.zeros_like(),
            2 => edge.linear.forward(x.clone()),
            _ => tanh(edge.linear_tanh.forward(x.clone())),
        };
        said * gates.clone().narrow(0, *k, 1).unsqueeze::<2>()
    });
    let y = said.reduce(Tensor::add);
    let y = y.ok_or_else(|| OracleError::new("no operation takes part"))?;
    let cot = Tensor::<2>::from_data(cot.into_data(), (&x.device(), like.dtype()));
    let gradients = (y.clone() * cot).sum().backward();
    session.compare("output/y", y.into_data());

    let slopes = gates.grad(&gradients);
    let slopes = slopes.ok_or_else(|| OracleError::new("the gates have no gradient"))?;
    let slopes: Vec<f64> = slopes.into_data().iter().collect();
    let vector = |key: &str, values: Vec<f64>| {
        let len = values.len();
        session.compare(key, TensorData::new(values, [len]));
    };
    vector("grad_gate/gate", slopes.clone());
    if let Some(slope) = x.grad(&gradients) {
        session.compare("grad_input/x", slope.into_data());
    }
    for (name, layer, k) in [("op_2", &edge.linear, 2), ("op_3", &edge.linear_tanh, 3)] {
        let weight = layer.weight.val().grad(&gradients);
        let bias = layer
            .bias
            .as_ref()
            .and_then(|bias| bias.val().grad(&gradients));
        let found = weight.map(Axes::transposed).zip(bias);
        if let (true, Some((weight, bias))) = (k == config.active, &found) {
            session.compare(&format!("grad/{name}.weight"), weight.clone().into_data());
            session.compare(&format!("grad/{name}.bias"), bias.clone().into_data());
        }
        // A closed gate lets nothing through.
        let moves = |(weight, bias): (Tensor<2>, Tensor<1>)| {
            let most = weight.abs().max().into_scalar::<f64>();
            most.max(bias.abs().max().into_scalar::<f64>()) > 0.0
        };
        if k != config.active && found.is_some_and(moves) {
            return Err(OracleError::new(format!(
                "{name} moves, its gate is closed"
            )));
        }
    }
    vector("output/probabilities", path_probabilities(&alpha));
    let slope = paths.strength_gradient(&alpha, &slopes)?;
    vector("grad/alpha", slope.clone());
    let after = alpha.iter().zip(&slope);
    let after: Vec<f64> = after.map(|(a, slope)| a - config.arch_lr * slope).collect();
    vector("output/alpha_after_sgd", after.clone());
    if session.has("output/alpha_rescaled") {
        vector("output/alpha_rescaled", paths.rescaled(&alpha, &after));
    }
    Ok(())
}
