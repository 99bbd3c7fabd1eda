//! The sets of option chains.

use serde::{Deserialize, Serialize};

use super::ChainFeature;
use crate::DataError;
use crate::features::FeatureSet;

/// The set `greek_proxies`: what a moneyness says of δ, γ, ν and θ without Black's formula and without
/// the row's volatility, which is often the target.
///
/// With `u = ln(K/F)/(σ₀√T)` and the logistic function `Λ` at `−1.702·u`, which is within 0.0095 of the
/// normal distribution:
///
/// | feature | formula | like |
/// |---|---|---|
/// | `delta_proxy` | `Λ` for a call, `Λ − 1` for a put | delta |
/// | `gamma_proxy` | `1.702·Λ(1 − Λ)/(σ₀√T)`, the slope of `delta_proxy` in `ln F` | `F·γ` |
/// | `vega_proxy` | `4Λ(1 − Λ)·√T` | `ν/F`, times 2.5 |
/// | `theta_proxy` | `−4Λ(1 − Λ)/(2√T)` | `θ/(F·σ)`, times 2.5 |
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GreekProxiesConfig {
    /// The volatility `σ₀` that stands for all, above 0, up to 10. Default: 0.2.
    pub vol: f64,
}

impl Default for GreekProxiesConfig {
    fn default() -> Self {
        Self { vol: 0.2 }
    }
}

impl GreekProxiesConfig {
    /// The set `greek_proxies`, in the order of the table above.
    ///
    /// # Errors
    /// A config error naming the feature, the field, its value and the allowed range.
    pub fn feature_set(&self) -> Result<FeatureSet, DataError> {
        let vol = self.vol;
        FeatureSet::of_chain(
            "greek_proxies",
            [
                ("delta_proxy", ChainFeature::DeltaProxy { vol }),
                ("gamma_proxy", ChainFeature::GammaProxy { vol }),
                ("vega_proxy", ChainFeature::VegaProxy { vol }),
                ("theta_proxy", ChainFeature::ThetaProxy { vol }),
            ],
        )
    }
}

/// The set `greeks`: the exact sensitivities of Black's formula, `delta`, `gamma`, `vega`, `theta`, at
/// a volatility of the table.
pub(in crate::features) fn greeks_set() -> Result<FeatureSet, DataError> {
    FeatureSet::of_chain(
        "greeks",
        [
            ("delta", ChainFeature::Delta),
            ("gamma", ChainFeature::Gamma),
            ("vega", ChainFeature::Vega),
            ("theta", ChainFeature::Theta),
        ],
    )
}

/// The set `chain_interactions`: in what the shape of a smile is usually written.
///
/// With `k = ln(K/F)`: `log_moneyness` `k`, `log_moneyness_squared` `k²`, `sqrt_time` `√T`, `log_time`
/// `ln T`, `log_moneyness_time` `k·T`, `log_moneyness_sqrt_time` `k·√T`, `moneyness_sqrt_time`
/// `(K/F)·√T`, `standardized_moneyness` `k/√T`, `standardized_moneyness_squared` `k²/T`. Polynomials in
/// moneyness and time are the ad-hoc surfaces of Dumas, Fleming and Whaley 1998 ("Implied volatility
/// functions: empirical tests", Journal of Finance 53); `k/√T` is the moneyness in which smiles of
/// different maturities look alike.
pub(in crate::features) fn chain_interactions_set() -> Result<FeatureSet, DataError> {
    use ChainFeature as C;
    FeatureSet::of_chain(
        "chain_interactions",
        [
            ("log_moneyness", C::LogMoneyness),
            ("log_moneyness_squared", C::LogMoneynessSquared),
            ("sqrt_time", C::SqrtTime),
            ("log_time", C::LogTime),
            ("log_moneyness_time", C::LogMoneynessTime),
            ("log_moneyness_sqrt_time", C::LogMoneynessSqrtTime),
            ("moneyness_sqrt_time", C::MoneynessSqrtTime),
            ("standardized_moneyness", C::StandardizedMoneyness),
            (
                "standardized_moneyness_squared",
                C::StandardizedMoneynessSquared,
            ),
        ],
    )
}
