//! `darts`: gradients for the architecture, exact, by differences and of first order, against PyTorch.

use std::collections::BTreeMap;

use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor, TensorData};
use forge_meta::functional::{Functional, ParamTensor, Params};
use forge_meta::search::{
    Darts, DartsConfig, SearchSpace, SuperNet, SuperNetConfig, Unrolling, strongest_edges,
};
use forge_nn::ModuleConfig;
use forge_nn::cell::Operation;
use forge_nn::ops::Axes;
use forge_nn::parameters::KeyMap;

use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    n_nodes: usize,
    channels: usize,
    n_classes: usize,
    primitives: Vec<String>,
    xi: f64,
    momentum: f64,
    weight_decay: f64,
    r: f64,
    arch_lr: f64,
    arch_weight_decay: f64,
}

type Batch = (Tensor<2>, Tensor<1, Int>);

/// Rows are sequences of one token.
fn outputs(net: &SuperNet, x: Tensor<2>) -> Tensor<2> {
    net.forward_relaxed(x.unsqueeze_dim(1))
}

fn loss(cell: &SuperNet, (x, y): Batch) -> Tensor<1> {
    let says = log_softmax(outputs(cell, x), 1);
    says.gather(1, y.unsqueeze_dim(1)).mean().neg()
}

/// The operations with weights, and where they stand among all.
const LEARNED: [(usize, &str); 2] = [(2, "linear_tanh"), (3, "linear_silu")];

fn ours(edge: usize, k: usize) -> String {
    format!("edges.{edge}.operations.{k}.linear")
}

fn keys(edges: usize) -> KeyMap {
    let mut keys = KeyMap::new()
        .same("alpha", "alpha")
        .linear("classifier", "classifier");
    for stem in 0..2 {
        keys = keys.linear(&format!("stems.{stem}"), &format!("stem_{stem}"));
    }
    for edge in 0..edges {
        for (k, op) in LEARNED {
            let (ours, theirs) = (ours(edge, k), format!("edge_{edge}.{op}"));
            keys = keys.linear(&ours, &theirs);
        }
    }
    keys
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    if config.primitives != ["none", "skip_connect", "linear_tanh", "linear_silu"] {
        return Err(OracleError::new(format!(
            "other operations: {:?}",
            config.primitives
        )));
    }
    let edges: usize = (0..config.n_nodes).map(|node| node + 2).sum();
    let batch = |part: &str| -> Result<Batch, OracleError> {
        let y: Option<Tensor<1, Int>> = session.optional_int(&format!("y_{part}"))?;
        let y = y.ok_or_else(|| OracleError::new("labels are missing"))?;
        Ok((session.input::<2>(&format!("x_{part}"))?.inner(), y.inner()))
    };
    let (train, validation) = (batch("train")?, batch("val")?);
    let device = session.device();
    let net = SuperNetConfig {
        space: SearchSpace {
            operations: vec![
                Operation::None,
                Operation::SkipConnect,
                Operation::LinearTanh,
                Operation::LinearSilu,
            ],
            n_nodes: config.n_nodes,
        },
        d_in: train.0.dims()[1],
        d_model: config.channels,
        d_out: config.n_classes,
    };
    let cell = net.try_init(device)?;
    let cell = session.load(cell, keys(edges))?;
    let params = Params::of(&cell);
    let buffers = buffers(session, &params, edges)?;
    let darts = |unrolling| {
        let config = DartsConfig {
            architecture: vec!["alpha".into()],
            xi: config.xi,
            momentum: config.momentum,
            weight_decay: config.weight_decay,
            unrolling,
        };
        Darts::new(config, Functional::capture(&cell, loss))
    };
    let of = |unrolling| -> Result<_, OracleError> {
        let search = darts(unrolling)?;
        let (train, validation) = (train.clone(), validation.clone());
        Ok(search.gradient(&params, Some(&buffers), train, validation)?)
    };
    let alpha = |params: &Params| params.get::<2>("alpha");
    let hand_in = |key: &str, tensor: Tensor<2>| session.compare(key, tensor.into_data());
    let exact = of(Unrolling::Exact)?;
    hand_in("grad/alpha", alpha(&exact.gradient)?);
    hand_in("grad_at_unrolled/alpha", alpha(&exact.direct)?);
    let number = |key: &str, value: f64| session.compare(key, TensorData::new(vec![value], [1]));
    number("output/train_loss", exact.train_loss);
    number("output/val_loss_unrolled", exact.validation_loss);
    let ours = exact.unrolled.iter();
    let ours: BTreeMap<_, _> = ours
        .filter(|(name, _)| *name != "alpha")
        .map(|(name, tensor)| (name.to_string(), tensor.clone().into_data()))
        .collect();
    for (name, data) in keys(edges).to_reference(&ours)? {
        session.compare(&format!("output/unrolled/{name}"), data);
    }
    let by_difference = of(Unrolling::Difference { r: config.r })?;
    hand_in("grad_fd/alpha", alpha(&by_difference.gradient)?);
    hand_in(
        "grad_first_order/alpha",
        alpha(&of(Unrolling::None)?.gradient)?,
    );
    // The two Hessian products themselves.
    let search = darts(Unrolling::Exact)?;
    let plain = Functional::capture(&cell, loss);
    let at = plain.grad(&exact.unrolled, validation.clone())?;
    let v = at.map(|name, tensor| match name {
        "alpha" => tensor.zeros_like(),
        _ => tensor,
    });
    let exact_product = plain.hvp(&params, &v, train.clone())?;
    hand_in("output/hessian_vector_exact", alpha(&exact_product)?);
    let product = search.difference(&params, &v, config.r, train)?;
    hand_in("output/hessian_vector_fd", alpha(&product)?);
    number("output/radius", config.r / v.norm()?.into_scalar::<f64>());
    let x = validation.0;
    session.output("logits_val", outputs(&cell, x))?;
    // One step of Adam with coupled decay, its moments from zero.
    let now = alpha(&params)?;
    let slope = alpha(&by_difference.gradient)? + now.clone() * config.arch_weight_decay;
    let step = slope.clone() / (slope.abs() + 1e-8);
    hand_in(
        "output/alpha_after_adam",
        now.clone() - step * config.arch_lr,
    );
    let rows: Vec<f64> = now.into_data().iter().collect();
    let rows: Vec<Vec<f64>> = rows
        .chunks(config.primitives.len())
        .map(<[f64]>::to_vec)
        .collect();
    let kept = strongest_edges(&rows, 2, Some(0), 2)?;
    let kept: Vec<i64> = kept
        .iter()
        .flatten()
        .flat_map(|edge| [edge.operation as i64, edge.source as i64])
        .collect();
    let count = kept.len() / 2;
    session.compare("output/genotype", TensorData::new(kept, [count, 2]));
    Ok(())
}

/// The momentum buffers, under our names.
fn buffers(session: &Session<'_>, params: &Params, edges: usize) -> Result<Params, OracleError> {
    let mut found = BTreeMap::new();
    for name in keys(edges)
        .reference_names()
        .filter(|name| *name != "alpha")
    {
        let key = format!("momentum_buffer/{name}");
        let mut ours = name.replace("stem_", "stems.");
        for edge in 0..edges {
            for (k, op) in LEARNED {
                ours = ours.replace(&format!("edge_{edge}.{op}"), &self::ours(edge, k));
            }
        }
        let tensor = match name.ends_with("weight") {
            true => ParamTensor::new(session.input::<2>(&key)?.inner().transposed()),
            false => ParamTensor::new(session.input::<1>(&key)?.inner()),
        };
        found.insert(ours, tensor);
    }
    Ok(params.map(|name, tensor| match found.get(name) {
        Some(buffer) => buffer.clone(),
        None => tensor.zeros_like(),
    }))
}
