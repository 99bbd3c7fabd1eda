//! Stacks over tokens `x` to `y`, by their configs.

use forge_models::{Backbone, BackboneConfig, KeyMap};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::oracle::{OracleError, Session};

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
pub(super) fn run<C: BackboneConfig>(session: &Session<'_>, config: &C) -> Result<(), OracleError>
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
