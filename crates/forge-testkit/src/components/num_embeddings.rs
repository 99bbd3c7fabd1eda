//! `num_embeddings`: forge-nn's embeddings of numbers against `rtdl_num_embeddings`.

use forge_nn::ModuleConfig;
use forge_nn::num_embeddings::{NumEmbedderConfig, NumEmbeddings};
use forge_nn::parameters::KeyMap;
use serde_json::{Map, Value};

use crate::oracle::{OracleError, Session};

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let mut config: Map<String, Value> = session.config()?;
    let n_features = config.remove("n_features").and_then(|n| n.as_u64());
    let n_features = n_features.ok_or_else(|| OracleError::new("'config' lacks 'n_features'"))?;
    let embeddings: NumEmbeddings = serde_json::from_value(Value::Object(config))
        .map_err(|e| OracleError::new(format!("'config' does not fit: {e}")))?;
    let keys = embeddings.key_map(KeyMap::new(), "", "");
    let tokens = embeddings.d_embedding().is_some();
    let layer = NumEmbedderConfig::new(n_features as usize, embeddings);
    let layer = session.load(layer.try_init(session.device())?, keys)?;
    let x = session.input("x_num")?;
    match tokens {
        true => session.output("y", layer.tokens(x)),
        false => session.output("y", layer.flat(x)),
    }
}
