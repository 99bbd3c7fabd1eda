//! `attention_core`: `forge_nn::ops::attention` against PyTorch's.

use forge_nn::ops::{AttentionMask, AttentionOptions, attention};

use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    scale: f64,
    causal: bool,
    window_left: Option<usize>,
    window_right: Option<usize>,
    softcap: Option<f64>,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    let options = AttentionOptions {
        scale: Some(config.scale),
        causal: config.causal,
        window_left: config.window_left,
        window_right: config.window_right,
        softcap: config.softcap,
        dropout: 0.0,
    };
    options.validate()?;
    let (q, k, v) = (
        session.input("q")?,
        session.input("k")?,
        session.input("v")?,
    );
    let mask = key_mask(session)?;
    let bias = session.optional_input("bias")?;
    session.output("y", attention(q, k, v, mask, bias, &options))
}

/// The case's `key_valid`, if it has one.
pub(super) fn key_mask(session: &Session<'_>) -> Result<AttentionMask, OracleError> {
    let valid = session.optional_mask("key_valid")?;
    Ok(valid.map_or_else(AttentionMask::none, AttentionMask::key_valid))
}
