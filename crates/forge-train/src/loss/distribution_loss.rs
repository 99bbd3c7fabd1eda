//! Losses of distributions by name.

use std::fmt;
use std::str::FromStr;

use forge_nn::ForgeError;
use serde::{Deserialize, Serialize};

use super::BetaNll;

/// What a distribution that does not fit its target costs: `{ name = "beta_nll", beta = 0.5 }` in a
/// file, `beta_nll:0.5` on a command line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum DistributionLoss {
    /// The negative log likelihood; `nll`.
    #[default]
    Nll,
    /// [`beta_nll`](super::beta_nll) of the normal distribution; `beta_nll[:beta]`.
    BetaNll(BetaNll),
    /// [`gaussian_crps`](super::gaussian_crps) of the normal distribution; `crps`.
    Crps,
}

impl DistributionLoss {
    /// All names, as [`FromStr`] takes them.
    pub const NAMES: [&'static str; 3] = ["nll", "beta_nll", "crps"];

    /// Checks the loss's own fields.
    ///
    /// # Errors
    /// A config error naming the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        match self {
            Self::BetaNll(loss) => loss.validate(),
            Self::Nll | Self::Crps => Ok(()),
        }
    }
}

impl fmt::Display for DistributionLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nll => f.write_str("nll"),
            Self::BetaNll(loss) => write!(f, "beta_nll:{}", loss.beta),
            Self::Crps => f.write_str("crps"),
        }
    }
}

impl FromStr for DistributionLoss {
    type Err = ForgeError;

    fn from_str(text: &str) -> Result<Self, ForgeError> {
        let refuse = || {
            let allowed = "nll, beta_nll[:beta] or crps";
            ForgeError::config("objective.loss", text, allowed)
        };
        let loss = match text.split_once(':') {
            None => match text {
                "nll" => Self::Nll,
                "beta_nll" => Self::BetaNll(BetaNll::default()),
                "crps" => Self::Crps,
                _ => return Err(refuse()),
            },
            Some(("beta_nll", beta)) => Self::BetaNll(BetaNll {
                beta: beta.trim().parse().map_err(|_| refuse())?,
            }),
            Some(_) => return Err(refuse()),
        };
        loss.validate()?;
        Ok(loss)
    }
}
