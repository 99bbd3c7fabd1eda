//! `lisht`, `mish`, `squared_relu`: activations without parameters.

use forge_nn::activation::{lisht, mish, squared_relu};

use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let Config {} = session.config()?;
    let x = session.input_rows("x")?;
    let y = match session.case().model.as_str() {
        "lisht" => lisht(x),
        "mish" => mish(x),
        _ => squared_relu(x),
    };
    session.output_rows("y", y)
}
