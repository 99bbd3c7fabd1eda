//! `linear_attention`: forge-nn's against the paper's formula.

use forge_nn::attention::{LinearAttentionState, linear_attention, linear_attention_causal};

use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    causal: bool,
    eps: f64,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    let (q, k, v) = (
        session.input("q")?,
        session.input("k")?,
        session.input("v")?,
    );
    let valid = session.optional_mask("key_valid")?;
    let y = if config.causal {
        let state = &mut LinearAttentionState::new();
        linear_attention_causal(q, k, v, valid, config.eps, state)
    } else {
        linear_attention(q, k, v, valid, config.eps)
    };
    session.output("y", y)
}
