//! Which columns of a table hold an option chain.

use serde::{Deserialize, Serialize};

/// Which columns of a table hold an option chain. Only those that the features need are looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChainColumns {
    /// Forward of the row's expiry. Default: `forward`.
    pub forward: String,
    /// Default: `strike`.
    pub strike: String,
    /// Years to maturity. Default: `time_to_maturity`.
    pub time_to_maturity: String,
    /// Labels `C` and `P`, or `call` and `put`. Default: `option_type`.
    pub option_type: Option<String>,
    /// Discount factor; none is 1. Default: `discount`.
    pub discount: Option<String>,
    /// Annualised volatility, 0.2 for 20 %, for the set `greeks`. **The row's own implied volatility
    /// gives the target away if that is what is predicted**: name one known before. Default: none.
    pub vol: Option<String>,
}

impl Default for ChainColumns {
    fn default() -> Self {
        Self {
            forward: "forward".into(),
            strike: "strike".into(),
            time_to_maturity: "time_to_maturity".into(),
            option_type: Some("option_type".into()),
            discount: Some("discount".into()),
            vol: None,
        }
    }
}
