//! The SSVI surface of Gatheral and Jacquier.

use crate::DataError;

/// One set of parameters of the surface SSVI with the power law
/// `φ(θ) = η/(θ^γ·(1 + θ)^(1−γ))`:
///
/// `w(k, θ) = θ/2·(1 + ρφk + √((φk + ρ)² + 1 − ρ²))`
///
/// is the total implied variance `σ²T` at log-moneyness `k = ln(K/F)` where it is `θ` at the
/// money. Gatheral and Jacquier, "Arbitrage-free SVI volatility surfaces", Quantitative Finance
/// 14(1), 2014, eqs. (4.1) and (4.5).
///
/// With `η·(1 + |ρ|) ≤ 2` and `γ` in (0, 1/2], no slice has butterfly arbitrage (their
/// Theorem 4.2: `θφ(1 + |ρ|) < 4` and `θφ²(1 + |ρ|) ≤ 4`), and slices of growing `θ` do not cross
/// (Theorem 4.1). Parameters outside cannot be made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ssvi {
    rho: f64,
    eta: f64,
    gamma: f64,
}

impl Ssvi {
    /// # Errors
    /// A config error if `rho` is not in (−1, 1), `gamma` not in (0, 0.5], or `eta` not in
    /// (0, 2/(1 + |rho|)].
    pub fn new(rho: f64, eta: f64, gamma: f64) -> Result<Self, DataError> {
        let bad = |field: &str, value: f64, allowed: String| {
            Err(DataError::config(format!(
                "{field} = {value} is out of range: allowed {allowed}"
            )))
        };
        if !(rho > -1.0 && rho < 1.0) {
            return bad("rho", rho, "-1 to 1, both excluded".into());
        }
        if !(gamma > 0.0 && gamma <= 0.5) {
            return bad("gamma", gamma, "above 0, up to 0.5".into());
        }
        let most = Self::max_eta(rho);
        if !(eta > 0.0 && eta <= most) {
            return bad("eta", eta, format!("above 0, up to 2/(1 + |rho|) = {most}"));
        }
        Ok(Self { rho, eta, gamma })
    }

    /// The largest curvature free of arbitrage: `2/(1 + |ρ|)`.
    #[must_use]
    pub fn max_eta(rho: f64) -> f64 {
        2.0 / (1.0 + rho.abs())
    }

    /// Skew `ρ`.
    #[must_use]
    pub fn rho(&self) -> f64 {
        self.rho
    }

    /// Curvature `η`.
    #[must_use]
    pub fn eta(&self) -> f64 {
        self.eta
    }

    /// Decay `γ` of the curvature with maturity.
    #[must_use]
    pub fn gamma(&self) -> f64 {
        self.gamma
    }

    fn phi(&self, theta: f64) -> f64 {
        self.eta / (theta.powf(self.gamma) * (1.0 + theta).powf(1.0 - self.gamma))
    }

    /// `w(k, θ)`, for `θ > 0`.
    #[must_use]
    pub fn total_variance(&self, k: f64, theta: f64) -> f64 {
        let (rho, u) = (self.rho, self.phi(theta) * k);
        0.5 * theta * (1.0 + rho * u + ((u + rho).powi(2) + 1.0 - rho * rho).sqrt())
    }

    /// `g(k) = (1 − kw'/(2w))² − w'²/4·(1/w + 1/4) + w''/2`, for `θ > 0`. The density of the price
    /// at maturity has its sign: a slice is free of butterfly arbitrage where it is not negative
    /// (eq. 2.1 there).
    #[must_use]
    pub fn density_factor(&self, k: f64, theta: f64) -> f64 {
        let (rho, phi) = (self.rho, self.phi(theta));
        let shifted = phi * k + rho;
        let root = (shifted * shifted + 1.0 - rho * rho).sqrt();
        let w = self.total_variance(k, theta);
        let w1 = 0.5 * theta * phi * (rho + shifted / root);
        let w2 = 0.5 * theta * phi * phi * (1.0 - rho * rho) / root.powi(3);
        (1.0 - 0.5 * k * w1 / w).powi(2) - 0.25 * w1 * w1 * (1.0 / w + 0.25) + 0.5 * w2
    }
}
