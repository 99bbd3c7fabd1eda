//! `conditional_layer_norm`: both of forge-nn's against PyTorch's parts.

use forge_nn::ModuleConfig;
use forge_nn::norm::{ClassConditionalLayerNormConfig, ConditionalLayerNormConfig};

use super::by_path::{load, same};
use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(tag = "condition", rename_all = "lowercase", deny_unknown_fields)]
enum Config {
    Vector {
        d_model: usize,
        d_cond: usize,
        eps: f64,
    },
    Class {
        d_model: usize,
        n_classes: usize,
        eps: f64,
    },
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    at_rank_of_x!(session, at_rank)
}

fn at_rank<const D: usize>(session: &Session<'_>) -> Result<(), OracleError> {
    let x = session.input::<D>("x")?;
    let y = match session.config()? {
        Config::Vector {
            d_model,
            d_cond,
            eps,
        } => {
            let config = ConditionalLayerNormConfig::new(d_model, d_cond).with_eps(eps);
            let module = load(session, config.try_init(session.device())?, same)?;
            module.forward(x, session.input("cond")?)
        }
        Config::Class {
            d_model,
            n_classes,
            eps,
        } => {
            let config = ClassConditionalLayerNormConfig::new(d_model, n_classes).with_eps(eps);
            let module = load(session, config.try_init(session.device())?, same)?;
            let class = session.optional_int("class_id")?;
            let class = class.ok_or_else(|| OracleError::new("input/class_id is missing"))?;
            module.forward(x, class)
        }
    };
    session.output("y", y)
}
