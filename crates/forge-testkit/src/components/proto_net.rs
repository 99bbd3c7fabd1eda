//! `proto_net`: prototypes, logits and loss against PyTorch.

use burn::module::Module;
use burn::nn::LinearConfig;
use burn::tensor::activation::relu;
use burn::tensor::{Int, Tensor, TensorData};
use forge_meta::adaptation::prototypical;
use forge_nn::parameters::KeyMap;

use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    n_way: usize,
    k_shot: usize,
    n_query: usize,
    encoder_sizes: Option<Vec<usize>>,
    #[serde(rename = "activation")]
    _activation: String,
}

#[derive(Module, Debug)]
struct Encoder {
    layers: Vec<burn::nn::Linear>,
}

impl Encoder {
    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let last = self.layers.len().saturating_sub(1);
        let layers = self.layers.iter().enumerate();
        layers.fold(x, |x, (i, layer)| match i == last {
            true => layer.forward(x),
            false => relu(layer.forward(x)),
        })
    }
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    let sizes = config.encoder_sizes.unwrap_or_default();
    let pairs = sizes.iter().zip(sizes.iter().skip(1));
    let layers: Vec<_> = pairs
        .map(|(a, b)| LinearConfig::new(*a, *b).init(session.device()))
        .collect();
    let keys = (0..layers.len()).fold(KeyMap::new(), |keys, i| {
        keys.linear(&format!("layers.{i}"), &format!("encoder.{i}"))
    });
    let mut encoder = Encoder { layers };
    if !encoder.layers.is_empty() {
        encoder = session.load(encoder, keys)?;
    }
    let support = encoder.forward(session.input("support")?);
    let queries = encoder.forward(session.input("query")?);
    let [ways, shots, width] = support.dims();
    let rows = config.n_way * config.n_query;
    if [ways, shots] != [config.n_way, config.k_shot] {
        return Err(OracleError::new(format!(
            "the support set is {ways} by {shots}"
        )));
    }
    let episode = prototypical(support, queries.reshape([rows, width]))?;
    let classes: Vec<i64> = (0..rows).map(|row| (row / config.n_query) as i64).collect();
    let classes = TensorData::new(classes, [rows]);
    let classes = Tensor::<1, Int>::from_data(classes, session.device());
    let loss = episode.loss(classes.clone());
    session.output("accuracy", episode.accuracy(classes))?;
    session.output("prototypes", episode.prototypes)?;
    session.output("y", episode.logits)?;
    session.output("log_prob", episode.log_probabilities)?;
    session.output("loss", loss)
}
