//! `ttt_linear` and `ttt_mlp`: one layer against the authors' code.

use forge_models::{
    InnerModel, KeyMap, TokenMixer, TttBackboneConfig, TttLinearModel, TttMlpModel,
};

use super::backbone;
use crate::oracle::{OracleError, Session};

pub(super) fn run_linear(session: &Session<'_>) -> Result<(), OracleError> {
    run::<TttLinearModel>(session)
}

pub(super) fn run_mlp(session: &Session<'_>) -> Result<(), OracleError> {
    run::<TttMlpModel>(session)
}

fn run<I: InnerModel>(session: &Session<'_>) -> Result<(), OracleError> {
    let fields = backbone::fields(session)?;
    // What a stack has around its layers.
    let around = ["intermediate_size", "num_hidden_layers", "rms_norm_eps"];
    let config: TttBackboneConfig<I> = backbone::config(fields, &around)?;
    let keys = config.mixer_key_map(KeyMap::new(), "", "");
    let mixer = session.load(config.try_init_mixer(session.device())?, keys)?;
    // The layer counts positions itself.
    let positions = session.values("input/position_ids")?;
    if positions.iter().enumerate().any(|(t, p)| *p != t as f64) {
        return Err(OracleError::new("input/position_ids are not 0, 1, …"));
    }
    session.output("y", mixer.forward(session.input("x")?))
}
