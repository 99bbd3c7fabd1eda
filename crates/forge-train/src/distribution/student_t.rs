//! Student's t distribution.

use std::f64::consts::PI;

use super::normal::outside;
use super::tail_quantile::tail_quantile;
use super::{Normal, ln_gamma_half_step};

/// Above so many degrees of freedom the cumulative function is the normal's, from which it differs
/// by less than 1e-9; the continued fraction would take thousands of terms.
const NEARLY_NORMAL: f64 = 1e8;

/// Student's t distribution with location 0, scale 1 and at least 2 degrees of freedom.
///
/// ```
/// use forge_train::distribution::StudentT;
///
/// let t = StudentT { df: 5.0 };
/// assert!((t.quantile(0.975) - 2.570_581_835_636_314).abs() < 1e-12);
/// assert!((t.cdf(2.0) - 0.949_030_260_585_070_7).abs() < 1e-13);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StudentT {
    /// Degrees of freedom `ν`, at least 2. The standard deviation is `√(ν/(ν - 2))`.
    pub df: f64,
}

impl StudentT {
    /// The density at `z`.
    #[must_use]
    pub fn density(self, z: f64) -> f64 {
        self.ln_density(z).exp()
    }

    /// The logarithm of the density at `z`.
    #[must_use]
    pub fn ln_density(self, z: f64) -> f64 {
        let n = self.df;
        ln_gamma_half_step(0.5 * n)
            - 0.5 * (PI * n).ln()
            - 0.5 * (n + 1.0) * (z / n.sqrt()).powi(2).ln_1p()
    }

    /// `P(T <= z)`.
    #[must_use]
    pub fn cdf(self, z: f64) -> f64 {
        if z > 0.0 {
            1.0 - self.tail(z)
        } else {
            self.tail(-z)
        }
    }

    /// The `z` with `P(T <= z) = q`; infinite at 0 and 1, not a number outside.
    #[must_use]
    pub fn quantile(self, q: f64) -> f64 {
        if !(q > 0.0 && q < 1.0) {
            return outside(q);
        }
        let upper = tail_quantile(q.min(1.0 - q), |z| self.tail(z), |z| self.density(z));
        if q < 0.5 { -upper } else { upper }
    }

    /// The continuous ranked probability score of this distribution when `z` happens, less being
    /// better: `z (2F(z) - 1) + 2f(z) (ν + z²)/(ν - 1) - 2√ν/(ν - 1) · B(½, ν - ½)/B(½, ν/2)²`
    /// (Jordan, Krüger and Lerch 2019, appendix A.2). For location `m` and scale `s`, `s` times the
    /// score at `(y - m)/s`.
    #[must_use]
    pub fn crps(self, z: f64) -> f64 {
        let n = self.df;
        // ln B(½, z) = ½ ln π - (ln Γ(z + ½) - ln Γ(z)).
        let ln_betas =
            2.0 * ln_gamma_half_step(0.5 * n) - ln_gamma_half_step(n - 0.5) - 0.5 * PI.ln();
        z * (2.0 * self.cdf(z) - 1.0) + 2.0 * self.density(z) * (n + z * z) / (n - 1.0)
            - 2.0 * n.sqrt() / (n - 1.0) * ln_betas.exp()
    }

    /// `P(T > z)` for `z >= 0`.
    fn tail(self, z: f64) -> f64 {
        let n = self.df;
        if n > NEARLY_NORMAL {
            return Normal.cdf(-z);
        }
        let ratio = z / n.sqrt();
        let x = 1.0 / (1.0 + ratio * ratio);
        // 1 - x without cancellation.
        let rest = ratio * ratio * x;
        0.5 * regularised_beta(0.5 * n, x, rest)
    }
}

/// `Iₓ(a, ½)`, the regularised incomplete beta function, for `a >= 1` and `rest = 1 - x`.
fn regularised_beta(a: f64, x: f64, rest: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if rest <= 0.0 {
        return 1.0;
    }
    let b = 0.5;
    // xᵃ (1-x)ᵇ / B(a, b); the logarithm of x from whichever of x and 1 - x is small.
    let ln_x = if rest < 0.5 { (-rest).ln_1p() } else { x.ln() };
    let front = (a * ln_x + b * rest.ln() + ln_gamma_half_step(a) - 0.5 * PI.ln()).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(a, b, x) / a
    } else {
        1.0 - front * beta_fraction(b, a, rest) / b
    }
}

/// The continued fraction of the incomplete beta function (DLMF 8.17.22) by Lentz's method.
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for m in 1..20_000_i32 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = fraction;
        for term in [even, odd] {
            d = 1.0 / away(1.0 + term * d);
            c = away(1.0 + term / c);
            fraction *= c * d;
        }
        if (fraction - before).abs() <= f64::EPSILON * fraction.abs() {
            break;
        }
    }
    fraction
}
