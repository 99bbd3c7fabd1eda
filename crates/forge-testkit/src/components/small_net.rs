//! The network that the cases of meta-learning and continual learning are of: linear layers
//! `<i>.weight`, `<i>.bias`, an activation after every layer but the last.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::{relu, tanh};
use burn::tensor::{Tensor, TensorData};
use forge_meta::functional::Params;
use forge_nn::parameters::KeyMap;

use crate::oracle::{OracleError, Session};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Activation {
    Relu,
    #[default]
    Tanh,
}

#[derive(Module, Debug)]
pub(super) struct SmallNet {
    layers: Vec<Linear>,
    #[module(skip)]
    relu: bool,
}

impl SmallNet {
    /// The network whose parameters the case has.
    pub(super) fn load(session: &Session<'_>, activation: Activation) -> Result<Self, OracleError> {
        let mut layers = vec![];
        while session.has(&format!("param/{}.weight", layers.len())) {
            let shape = session.shape(&format!("param/{}.weight", layers.len()))?;
            let [out, input] = shape[..] else {
                return Err(OracleError::new(format!("a weight is {shape:?}")));
            };
            layers.push(LinearConfig::new(input, out).init(session.device()));
        }
        let keys = Self::keys(layers.len());
        let net = Self {
            layers,
            relu: activation == Activation::Relu,
        };
        session.load(net, keys)
    }

    pub(super) fn keys(layers: usize) -> KeyMap {
        (0..layers).fold(KeyMap::new(), |keys, i| {
            keys.linear(&format!("layers.{i}"), &i.to_string())
        })
    }

    pub(super) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let last = self.layers.len().saturating_sub(1);
        let layers = self.layers.iter().enumerate();
        layers.fold(x, |x, (i, layer)| {
            let y = layer.forward(x);
            match (i == last, self.relu) {
                (true, _) => y,
                (false, true) => relu(y),
                (false, false) => tanh(y),
            }
        })
    }

    pub(super) fn len(&self) -> usize {
        self.layers.len()
    }
}

/// Hands in parameters under the reference's names, after `prefix`.
pub(super) fn hand_in(
    session: &Session<'_>,
    prefix: &str,
    params: &Params,
    layers: usize,
) -> Result<(), OracleError> {
    for (name, data) in reference(params, layers)? {
        session.compare(&format!("{prefix}{name}"), data);
    }
    Ok(())
}

/// Hands in the parameters of several tasks, stacked under one name each.
pub(super) fn hand_in_all(
    session: &Session<'_>,
    prefix: &str,
    all: &[Params],
    layers: usize,
) -> Result<(), OracleError> {
    let mut stacked = std::collections::BTreeMap::<String, (Vec<f64>, Vec<usize>)>::new();
    for params in all {
        for (name, data) in reference(params, layers)? {
            let shape = data.shape().to_vec();
            let entry = stacked.entry(name).or_insert_with(|| (vec![], shape));
            entry.0.extend(data.iter::<f64>());
        }
    }
    for (name, (values, shape)) in stacked {
        let shape = [vec![all.len()], shape].concat();
        session.compare(&format!("{prefix}{name}"), TensorData::new(values, shape));
    }
    Ok(())
}

fn reference(
    params: &Params,
    layers: usize,
) -> Result<std::collections::BTreeMap<String, TensorData>, OracleError> {
    let ours = params.iter();
    let ours = ours.map(|(name, tensor)| (name.to_string(), tensor.clone().into_data()));
    Ok(SmallNet::keys(layers).to_reference(&ours.collect())?)
}
