//! The standard normal distribution.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use super::tail_quantile::tail_quantile;

/// The normal distribution with mean 0 and standard deviation 1.
///
/// ```
/// use forge_train::distribution::Normal;
///
/// assert!((Normal.quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-12);
/// assert!((Normal.cdf(1.96) - 0.975_002_104_851_780).abs() < 1e-12);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Normal;

impl Normal {
    /// The density at `z`.
    #[must_use]
    pub fn density(self, z: f64) -> f64 {
        self.ln_density(z).exp()
    }

    /// The logarithm of the density at `z`.
    #[must_use]
    pub fn ln_density(self, z: f64) -> f64 {
        -0.5 * (z * z + (2.0 * PI).ln())
    }

    /// `P(Z <= z)`.
    #[must_use]
    pub fn cdf(self, z: f64) -> f64 {
        0.5 * libm::erfc(-z * FRAC_1_SQRT_2)
    }

    /// The `z` with `P(Z <= z) = q`; infinite at 0 and 1, not a number outside.
    #[must_use]
    pub fn quantile(self, q: f64) -> f64 {
        if !(q > 0.0 && q < 1.0) {
            return outside(q);
        }
        let upper = tail_quantile(q.min(1.0 - q), |z| self.cdf(-z), |z| self.density(z));
        if q < 0.5 { -upper } else { upper }
    }

    /// The continuous ranked probability score of this distribution when `z` happens:
    /// `z (2Φ(z) - 1) + 2φ(z) - 1/√π` (Gneiting and Raftery 2007, eq. 21 with its sign turned: less
    /// is better). For mean `m` and deviation `s`, `s` times the score at `(y - m)/s`.
    #[must_use]
    pub fn crps(self, z: f64) -> f64 {
        z * (2.0 * self.cdf(z) - 1.0) + 2.0 * self.density(z) - 1.0 / PI.sqrt()
    }
}

/// The quantile of a probability that is 0, 1, or none.
pub(super) fn outside(q: f64) -> f64 {
    if q == 0.0 {
        f64::NEG_INFINITY
    } else if q == 1.0 {
        f64::INFINITY
    } else {
        f64::NAN
    }
}
