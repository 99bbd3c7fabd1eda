//! `grouped_query_attention`, and `qk_norm`, which is the same layer with normalised queries and
//! keys, against PyTorch's parts.

use forge_nn::ModuleConfig;
use forge_nn::attention::GroupedQueryAttentionConfig;
use forge_nn::norm::QkNormKind;
use forge_nn::parameters::KeyMap;

use super::attention_core::key_mask;
use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    d_model: usize,
    n_heads: usize,
    n_kv_heads: usize,
    head_dim: usize,
    causal: bool,
    bias: bool,
    norm: Option<QkNormKind>,
    eps: Option<f64>,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    let (heads, kv_heads) = (config.n_heads, config.n_kv_heads);
    let mut recipe = GroupedQueryAttentionConfig::new(config.d_model, heads, kv_heads)
        .with_head_dim(Some(config.head_dim))
        .with_causal(config.causal)
        .with_bias(config.bias)
        .with_qk_norm(config.norm);
    match (config.norm, config.eps) {
        (Some(_), Some(eps)) => recipe = recipe.with_qk_norm_eps(eps),
        (None, None) => {}
        _ => return Err(OracleError::new("'norm' and 'eps' go together")),
    }
    let module = session.load(recipe.try_init(session.device())?, keys(&config))?;
    let (x, mask) = (session.input("x")?, key_mask(session)?);
    session.output("y", module.forward(x, mask, None))
}

/// The reference has one matrix for each of queries, keys and values, `rows` of them long.
pub(super) fn projections(rows: [usize; 3], bias: bool) -> KeyMap {
    let parts = |kind: &str| {
        let names = ["q", "k", "v"].map(|side| format!("{side}_proj.{kind}"));
        names.into_iter().zip(rows)
    };
    let map = KeyMap::new()
        .stacked_transposed("qkv_proj.weight", parts("weight"))
        .transposed("o_proj.weight", "o_proj.weight");
    match bias {
        true => map
            .stacked("qkv_proj.bias", parts("bias"))
            .same("o_proj.bias", "o_proj.bias"),
        false => map,
    }
}

fn keys(config: &Config) -> KeyMap {
    let [queries, groups] = [config.n_heads, config.n_kv_heads].map(|n| n * config.head_dim);
    let map = projections([queries, groups, groups], config.bias);
    let names: &[&str] = match config.norm {
        None => &[],
        Some(QkNormKind::Rms) => &["q_norm.weight", "k_norm.weight"],
        Some(QkNormKind::Layer) => &[
            "q_norm.weight",
            "q_norm.bias",
            "k_norm.weight",
            "k_norm.bias",
        ],
        Some(QkNormKind::L2) => &["temperature"],
    };
    names
        .iter()
        .fold(map, |map, name| map.same(&format!("qk_norm.{name}"), name))
}
