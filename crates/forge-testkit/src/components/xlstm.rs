//! `xlstm`, `xlstm_mlstm` and `xlstm_slstm`: the stack, and one block of either kind.

use forge_models::{KeyMap, XlstmBackboneConfig};
use serde_json::{Map, Value, json};

use super::backbone;
use crate::oracle::{OracleError, Session};

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    backbone::run_stack(session, &config(backbone::fields(session)?)?)
}

/// One mLSTM block: a stack of one, whose names the case has without the place.
pub(super) fn run_mlstm(session: &Session<'_>) -> Result<(), OracleError> {
    let mut block = backbone::fields(session)?;
    let (width, bias) = (block.remove("embedding_dim"), block.remove("bias"));
    block.remove("context_length");
    let config = one_block(json!({"mlstm": block, "slstm_at": [], "bias": bias}), width)?;
    let keys = config
        .mlstm
        .key_map(KeyMap::new(), "blocks.0.", "", config.bias);
    backbone::run_with(session, &config, keys)
}

/// One sLSTM block.
pub(super) fn run_slstm(session: &Session<'_>) -> Result<(), OracleError> {
    let mut block = backbone::fields(session)?;
    let width = block.remove("embedding_dim");
    let config = one_block(
        json!({"slstm": block, "slstm_at": [0], "bias": false}),
        width,
    )?;
    let keys = config.slstm.key_map(KeyMap::new(), "blocks.0.", "");
    backbone::run_with(session, &config, keys)
}

fn one_block(mut fields: Value, width: Option<Value>) -> Result<XlstmBackboneConfig, OracleError> {
    fields["embedding_dim"] = width.into();
    fields["num_blocks"] = 1.into();
    fields["add_post_blocks_norm"] = false.into();
    match fields {
        Value::Object(fields) => config(fields),
        _ => Err(OracleError::new("'config' is no object")),
    }
}

/// The config without what follows from the rest, and with defaults where the reference has null:
/// there is no such block.
fn config(mut fields: Map<String, Value>) -> Result<XlstmBackboneConfig, OracleError> {
    fields.remove("context_length");
    let mut absent = vec![];
    for (name, derived) in [("mlstm", "inner_embedding_dim"), ("slstm", "")] {
        match fields.get_mut(name) {
            Some(Value::Object(part)) => {
                part.remove(derived);
                if let Some(Value::Object(part)) = part.get_mut("feedforward") {
                    part.remove("proj_up_dim");
                }
            }
            _ => {
                fields.remove(name);
                absent.push(name);
            }
        }
    }
    backbone::config(fields, &absent)
}
