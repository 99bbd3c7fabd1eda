//! Their names of our fields.

use forge_models::SeriesModelConfig;
use serde_json::{Map, Value};

use super::{Fields, Outcome, Reference};
use crate::oracle::{OracleError, Session};

/// A field of a case's config, and what it is here.
pub(super) type Field = (&'static str, Is);

/// What a field of theirs is here.
pub(super) enum Is {
    /// This field of the windows.
    Window(&'static str),
    /// This field of the config.
    Field(&'static str),
    /// This field of the config, which is 0 or 1 there and a boolean here.
    Switch(&'static str),
    /// Nothing: it has this value (in JSON) in every case.
    Only(&'static str),
    /// Nothing, whatever its value: it changes no result, or follows from other fields.
    Unused,
}

/// What windows are called, in one repository or another.
pub(super) const COMMON: &[Field] = &[
    ("seq_len", Is::Window("lookback")),
    ("input_size", Is::Window("lookback")),
    ("pred_len", Is::Window("horizon")),
    ("h", Is::Window("horizon")),
    ("enc_in", Is::Window("n_targets")),
    ("output_size", Is::Window("n_outputs")),
    ("hist_exog_size", Is::Window("n_past")),
    ("futr_exog_size", Is::Window("n_known")),
    ("stat_exog_size", Is::Window("n_fixed")),
];

/// The config of a case, which must state it in full: a default filled in would test something else
/// than the reference did.
pub(super) fn config(session: &Session<'_>, reference: &Reference) -> Outcome<SeriesModelConfig> {
    // For its check of sizes.
    let stated: Fields = session.config()?;
    let (mut ours, mut windows) = (Fields::new(), Fields::new());
    for (field, value) in stated {
        let mut known = reference.fields.iter().chain(COMMON);
        match known.find(|(theirs, _)| *theirs == field).map(|(_, is)| is) {
            None => drop(ours.insert(field, value)),
            Some(Is::Window(name)) => drop(windows.insert((*name).into(), value)),
            Some(Is::Field(name)) => drop(ours.insert((*name).into(), value)),
            Some(Is::Switch(name)) => {
                let on = match value.as_u64() {
                    Some(0) => false,
                    Some(1) => true,
                    _ => return Err(unlike(&field, &value, "0 or 1")),
                };
                ours.insert((*name).into(), on.into());
            }
            Some(Is::Only(json)) if value.to_string().as_str() == *json => {}
            Some(Is::Only(json)) => return Err(unlike(&field, &value, json)),
            Some(Is::Unused) => {}
        }
    }
    (reference.adjust)(session, &mut ours, &mut windows)?;
    for field in ["lookback", "horizon"] {
        if !windows.contains_key(field) {
            return Err(OracleError::new(format!("'config' says no {field}")));
        }
    }
    ours.insert("windows".into(), windows.into());
    let named = session.case().model.as_str();
    ours.insert("model".into(), reference.model.unwrap_or(named).into());
    let whole = Value::Object(ours.clone());
    let config = SeriesModelConfig::from_value(whole)?;
    let made = serde_json::to_value(&config).map_err(OracleError::new)?;
    let fields = made.as_object().into_iter().flat_map(Map::keys);
    let mut lacking = fields.filter(|field| {
        !ours.contains_key(field.as_str()) && !reference.spared.contains(&field.as_str())
    });
    match lacking.next() {
        Some(field) => Err(OracleError::new(format!("'config' lacks '{field}'"))),
        None => Ok(config),
    }
}

fn unlike(field: &str, value: &Value, allowed: &str) -> OracleError {
    OracleError::new(format!("'{field}' is {value}: {allowed} in every case"))
}
