//! The volatility features.

use serde::{Deserialize, Serialize};

use super::RangeEstimator;
use crate::DataError;
use crate::features::{BarFeature, FeatureSet};

/// The set `volatility`: six estimators per window, as volatilities (roots of variances).
///
/// | feature | uses | right with | source |
/// |---|---|---|---|
/// | `close_to_close_N` | closes | drift | sample deviation |
/// | `parkinson_N` | high, low | no drift, no gaps | Parkinson 1980 |
/// | `garman_klass_N` | all four prices | no drift, no gaps | Garman and Klass 1980 |
/// | `rogers_satchell_N` | all four prices | drift, no gaps | Rogers and Satchell 1991 |
/// | `yang_zhang_N` | all four prices | drift, gaps | Yang and Zhang 2000 |
/// | `bipower_N` | closes | jumps | Barndorff-Nielsen and Shephard 2004 |
///
/// Prices seen at a few points only (a bar of few trades) have too small a range: the three estimators
/// from ranges are then too low.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VolatilityConfig {
    /// Bars per estimate `N`, each 2 to 100,000, no one twice. Default: 20.
    pub windows: Vec<u32>,
    /// Bars per year: the volatility of one bar times its root is that of a year. 252 for days, 252·390
    /// for minutes of a session of 6½ hours. Default: none, the volatility is that of one bar.
    pub periods_per_year: Option<f64>,
}

impl Default for VolatilityConfig {
    fn default() -> Self {
        Self {
            windows: vec![20],
            periods_per_year: None,
        }
    }
}

impl VolatilityConfig {
    /// The set `volatility`, window by window in the order of the table above.
    ///
    /// # Errors
    /// A config error naming the feature, the field, its value and the allowed range, or if there is
    /// no window.
    pub fn feature_set(&self) -> Result<FeatureSet, DataError> {
        if self.windows.is_empty() {
            return Err(DataError::config(
                "windows is empty: the set 'volatility' needs at least one, such as 20",
            ));
        }
        let periods_per_year = self.periods_per_year;
        let per_window = |&period: &u32| {
            let range = |estimator| BarFeature::Range {
                estimator,
                period,
                periods_per_year,
            };
            [
                (
                    "close_to_close",
                    BarFeature::CloseToClose {
                        period,
                        periods_per_year,
                    },
                ),
                ("parkinson", range(RangeEstimator::Parkinson)),
                ("garman_klass", range(RangeEstimator::GarmanKlass)),
                ("rogers_satchell", range(RangeEstimator::RogersSatchell)),
                (
                    "yang_zhang",
                    BarFeature::YangZhang {
                        period,
                        periods_per_year,
                    },
                ),
                (
                    "bipower",
                    BarFeature::Bipower {
                        period,
                        periods_per_year,
                    },
                ),
            ]
            .map(|(name, feature)| (format!("{name}_{period}"), feature))
        };
        FeatureSet::of_bars("volatility", self.windows.iter().flat_map(per_window))
    }
}
