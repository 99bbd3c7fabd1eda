//! Backbones of `forge-models` by themselves: tokens in, tokens out.

use forge_models::{Backbone, BackboneConfig, KeyMap};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::oracle::{OracleError, Session};

/// The stack that the case's config describes in full.
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

/// The fields of the case's config.
pub(super) fn fields(session: &Session<'_>) -> Result<Map<String, Value>, OracleError> {
    session.config()
}

/// The config of these fields, which must be all that it has but those that may be `absent`: a
/// default filled in here would test something else than the reference did.
pub(super) fn config<C: Serialize + DeserializeOwned>(
    fields: Map<String, Value>,
    absent: &[&str],
) -> Result<C, OracleError> {
    let config: C = serde_json::from_value(Value::Object(fields.clone()))
        .map_err(|e| OracleError::new(format!("'config' does not fit: {e}")))?;
    let whole = serde_json::to_value(&config).map_err(OracleError::new)?;
    let mut names = whole.as_object().into_iter().flat_map(Map::keys);
    let lacks = |name: &&String| !fields.contains_key(*name) && !absent.contains(&name.as_str());
    match names.find(lacks) {
        Some(name) => Err(OracleError::new(format!("'config' lacks '{name}'"))),
        None => Ok(config),
    }
}

/// The whole stack.
pub(super) fn run_stack<C: BackboneConfig>(
    session: &Session<'_>,
    config: &C,
) -> Result<(), OracleError>
where
    C::Module: 'static,
{
    run_with(session, config, config.key_map(KeyMap::new(), "", ""))
}

/// The whole stack, where the case has names of its own.
pub(super) fn run_with<C: BackboneConfig>(
    session: &Session<'_>,
    config: &C,
    keys: KeyMap,
) -> Result<(), OracleError>
where
    C::Module: 'static,
{
    let stack = session.load(config.try_init(session.device())?, keys)?;
    session.output("y", stack.forward(session.input("x")?, None))
}
