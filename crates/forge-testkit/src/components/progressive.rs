//! `progressive`: the second column, which listens to a frozen first one, against PyTorch.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::relu;
use forge_meta::continual::{LateralKind, ProgressiveColumn, ProgressiveConfig};
use forge_nn::parameters::KeyMap;

use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    lateral: String,
    d_in: usize,
    hidden_sizes: Vec<usize>,
    d_out: usize,
    adapter_dim: Option<usize>,
}

/// The cases' first column has no output layer.
#[derive(Module, Debug)]
struct Columns {
    first: Vec<Linear>,
    second: ProgressiveColumn,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    let lateral = match (config.lateral.as_str(), config.adapter_dim) {
        ("linear", None) => LateralKind::Linear,
        ("adapter", Some(width)) => LateralKind::Adapter(width),
        (other, _) => return Err(OracleError::new(format!("lateral {other}"))),
    };
    let recipe = ProgressiveConfig {
        d_in: config.d_in,
        hidden_sizes: config.hidden_sizes,
        d_out: config.d_out,
        lateral,
    };
    let device = session.device();
    let depth = recipe.hidden_sizes.len();
    let inputs = std::iter::once(&recipe.d_in).chain(&recipe.hidden_sizes);
    let pairs = inputs.zip(&recipe.hidden_sizes);
    let first: Vec<Linear> = pairs
        .map(|(a, b)| LinearConfig::new(*a, *b).init(device))
        .collect();
    let mut keys = KeyMap::new();
    for i in 0..=depth {
        keys = keys.linear(&format!("second.layers.{i}"), &format!("column_1.{i}"));
        if i == depth {
            continue;
        }
        keys = keys.linear(&format!("first.{i}"), &format!("column_0.{i}"));
        let (ours, theirs) = (format!("second.laterals.{i}"), format!("lateral.{}", i + 1));
        keys = match lateral {
            LateralKind::Linear => {
                keys.transposed(&format!("{ours}.u.weight"), &format!("{theirs}.weight"))
            }
            LateralKind::Adapter(_) => keys
                .same(&format!("{ours}.alpha"), &format!("{theirs}.alpha"))
                .linear(&format!("{ours}.v"), &format!("{theirs}.v"))
                .transposed(&format!("{ours}.u.weight"), &format!("{theirs}.u.weight")),
        };
    }
    let second = recipe
        .column(1, device)
        .map_err(|e| OracleError::new(e.to_string()))?;
    let columns = session.load(Columns { first, second }, keys)?;
    let first = columns.first.into_iter().map(Module::no_grad);
    let x = session.input::<2>("x")?;
    let mut hidden = vec![];
    let mut below = x.clone();
    for (i, layer) in first.enumerate() {
        below = relu(layer.forward(below));
        session.output(&format!("column_0_hidden_{}", i + 1), below.clone())?;
        hidden.push(below.clone());
    }
    session.output("y", columns.second.forward(x, &[hidden]).0)
}
