//! `migt_…`: parts of `forge_models::MigtTvdt` against the repository's.

use burn::tensor::Tensor;
use forge_models::{
    KeyMap, MaskedRevInConfig, MigtBlockConfig, MigtCalendarEncodingConfig,
    RisingQuantileHeadConfig, TemporalAggregationConfig,
};
use forge_nn::ModuleConfig;
use forge_nn::gating::GatedInstanceNormConfig;
use forge_nn::ops::Axes;
use serde::de::DeserializeOwned;

use super::by_path::{load, same};
use crate::oracle::{OracleError, Session, calendar};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RevIn {
    n_variables: usize,
    revin_eps: f64,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Gate {
    d_model: usize,
    eps: f64,
}

/// The config of the case, field by field the module's.
fn config<C: DeserializeOwned>(session: &Session<'_>) -> Result<C, OracleError> {
    session.config()
}

pub(super) fn run_revin(session: &Session<'_>) -> Result<(), OracleError> {
    let RevIn {
        n_variables,
        revin_eps,
    } = session.config()?;
    let config = MaskedRevInConfig {
        n_variables,
        eps: revin_eps,
    };
    let keys = MaskedRevInConfig::key_map(KeyMap::new(), "", "");
    let module = session.load(config.try_init(session.device())?, keys)?;
    let x = session.input::<3>("x")?;
    let statistics = module.statistics(x.clone(), session.optional_mask("valid")?);
    session.output("mean", statistics.mean.clone())?;
    session.output("std", statistics.std.clone())?;
    let normalized = module.normalize(x, &statistics);
    session.output("normalized", normalized.clone())?;
    let forecast = normalized * session.input("z")?;
    session.output("y", module.denormalize(forecast, &statistics))
}

pub(super) fn run_calendar(session: &Session<'_>) -> Result<(), OracleError> {
    let config: MigtCalendarEncodingConfig = config(session)?;
    let keys = config.key_map(KeyMap::new(), "", "");
    let module = session.load(config.try_init(session.device())?, keys)?;
    session.output("y", module.forward(&calendar(session, 0)?))
}

/// `[B, T, V, D]` as sequences of each variable, `[B·V, T, D]`.
fn by_variable(x: Tensor<4>) -> Tensor<3> {
    let [batch, time, variables, width] = x.dims();
    x.swapped(1, 2).reshape([batch * variables, time, width])
}

pub(super) fn run_temporal_block(session: &Session<'_>) -> Result<(), OracleError> {
    let config: MigtBlockConfig = config(session)?;
    let keys = config.key_map(KeyMap::new(), "", "");
    let module = session.load(config.try_init(session.device())?, keys)?;
    let x = session.input::<4>("x")?;
    let [batch, time, variables, width] = x.dims();
    let valid = session.optional_mask::<2>("valid")?.map(|valid| {
        let each = valid.unsqueeze_dim::<3>(1).expand([batch, variables, time]);
        each.reshape([batch * variables, time])
    });
    let (y, _) = module.forward(by_variable(x), valid, false);
    let y = y.reshape([batch, variables, time, width]);
    session.output("y", y.swapped(1, 2))
}

pub(super) fn run_variable_block(session: &Session<'_>) -> Result<(), OracleError> {
    let config: MigtBlockConfig = config(session)?;
    let keys = config.key_map(KeyMap::new(), "", "");
    let module = session.load(config.try_init(session.device())?, keys)?;
    let (y, _) = module.forward(session.input("x")?, None, false);
    session.output("y", y)
}

pub(super) fn run_aggregation(session: &Session<'_>) -> Result<(), OracleError> {
    let config: TemporalAggregationConfig = config(session)?;
    let keys = config.key_map(KeyMap::new(), "", "");
    let module = session.load(config.try_init(session.device())?, keys)?;
    let x = session.input::<4>("x")?;
    let [batch, time, variables, width] = x.dims();
    let valid = session.optional_mask::<2>("valid")?.map(|valid| {
        let each = valid.unsqueeze_dim::<3>(1).expand([batch, variables, time]);
        each.reshape([batch * variables, time])
    });
    let (y, _) = module.forward(by_variable(x), valid, false);
    session.output("y", y.reshape([batch, variables, width]))
}

pub(super) fn run_gate(session: &Session<'_>) -> Result<(), OracleError> {
    let Gate { d_model, eps } = session.config()?;
    let module = GatedInstanceNormConfig::new(d_model)
        .with_eps(eps)
        .try_init(session.device())?;
    let module = load(session, module, same)?;
    let (x, update) = (session.input::<3>("x")?, session.input("update")?);
    session.output("y", module.forward(x, update))
}

pub(super) fn run_head(session: &Session<'_>) -> Result<(), OracleError> {
    let config: RisingQuantileHeadConfig = config(session)?;
    let keys = config.key_map(KeyMap::new(), "", "");
    let module = session.load(config.try_init(session.device())?, keys)?;
    session.output("y", module.forward(session.input("x")?))
}
