//! Backbones of `forge-models` by themselves: tokens in, tokens out.

use forge_models::{Backbone, BackboneConfig, KeyMap};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::oracle::{OracleError, Session};

pub(super) fn run<C>(session: &Session<'_>) -> Result<(), OracleError>
where
    C: BackboneConfig<Module: 'static> + DeserializeOwned + Serialize,
{
    let config: C = session.config()?;
    // Dropout is off in every case, and an epsilon is given where there is a layer that has it.
    let spared = |field: &str| field.ends_with("dropout") || field == "linear_eps";
    session.states_in_full(&config, spared)?;
    let backbone = config.try_init(session.device())?;
    let backbone = session.load(backbone, config.key_map(KeyMap::new(), "", ""))?;
    let valid = session.optional_mask("key_valid")?;
    session.output("y", backbone.forward(session.input("x")?, valid))
}
