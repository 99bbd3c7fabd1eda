//! `swiglu`, `geglu`, `reglu`: the split form and the feed-forward layer.

use forge_nn::ModuleConfig;
use forge_nn::activation::{GatedFeedForwardConfig, GluKind, glu};

use super::by_path::{load, same};
use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(tag = "form", rename_all = "lowercase", deny_unknown_fields)]
enum Config {
    Split {
        activation: Activation,
    },
    Ffn {
        activation: Activation,
        d_model: usize,
        d_hidden: usize,
        bias: bool,
    },
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum Activation {
    Swiglu,
    Geglu,
    Reglu,
}

impl Activation {
    fn kind(&self) -> GluKind {
        match self {
            Self::Swiglu => GluKind::Silu,
            Self::Geglu => GluKind::Gelu,
            Self::Reglu => GluKind::Relu,
        }
    }
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let x = session.input_rows("x")?;
    let y = match session.config()? {
        Config::Split { activation } => glu(x, activation.kind()),
        Config::Ffn {
            activation,
            d_model,
            d_hidden,
            bias,
        } => {
            let config = GatedFeedForwardConfig::new(d_model, d_hidden)
                .with_kind(activation.kind())
                .with_bias(bias);
            load(session, config.try_init(session.device())?, same)?.forward(x)
        }
    };
    session.output_rows("y", y)
}
