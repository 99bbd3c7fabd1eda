//! `mamba` and `mamba2`: one layer, or the stack, against their references.

use forge_models::{KeyMap, Mamba2BackboneConfig, MambaBackboneConfig, TokenMixer};

use super::backbone;
use crate::oracle::{OracleError, Session};

/// A `module` that is "mixer" is one layer without norm and residual.
pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let mut fields = backbone::fields(session)?;
    let module = fields.remove("module");
    let config: MambaBackboneConfig = backbone::config(fields, &[])?;
    match module.as_ref().and_then(serde_json::Value::as_str) {
        Some("stack") => backbone::run_stack(session, &config),
        Some("mixer") => {
            let keys = config.mixer_key_map(KeyMap::new(), "", "");
            let mixer = session.load(config.try_init_mixer(session.device())?, keys)?;
            session.output("y", mixer.forward(session.input("x")?))
        }
        _ => Err(OracleError::new("'module' is not stack or mixer")),
    }
}

/// One layer. The chunk's size is the reference's own affair.
pub(super) fn run_mamba2(session: &Session<'_>) -> Result<(), OracleError> {
    let mut fields = backbone::fields(session)?;
    fields.remove("chunk_size");
    let heads = fields.remove("num_heads");
    if let Some(limits) = fields.remove("time_step_limit") {
        fields.insert("time_step_min".into(), limits[0].clone());
        fields.insert("time_step_max".into(), limits[1].clone());
    }
    fields.insert("num_hidden_layers".into(), 1.into());
    let config: Mamba2BackboneConfig = backbone::config(fields, &["time_step_max"])?;
    if heads != Some(config.num_heads().into()) {
        return Err(OracleError::new("'num_heads' is not that of the widths"));
    }
    let keys = config.mixer_key_map(KeyMap::new(), "", "");
    let mixer = session.load(config.try_init_mixer(session.device())?, keys)?;
    session.output("y", mixer.forward(session.input("x")?))
}
