//! The ratio of two gamma functions half a step apart.

/// How far up the argument is moved before the series is used.
pub(crate) const HALF_STEP_SHIFT: u8 = 8;

/// Coefficients of `1/z, 1/z³, 1/z⁵, …` in `ln Γ(z + ½) - ln Γ(z) - ½ ln z`:
/// `-(1 - 4⁻ᵏ) B₂ₖ / (k (2k - 1))` with Bernoulli's numbers, from Stirling's series (DLMF 5.11.8).
/// From `z = 9` on what is left out is below 5e-15.
pub(crate) const HALF_STEP_SERIES: [f64; 6] = [
    -1.0 / 8.0,
    1.0 / 192.0,
    -1.0 / 640.0,
    17.0 / 14336.0,
    -31.0 / 18432.0,
    691.0 / 180_224.0,
];

/// `ln Γ(z + ½) - ln Γ(z)` for `z >= 1`, to rounding however large `z` is: the difference of two
/// `ln Γ` would lose its digits.
///
/// ```
/// use forge_train::distribution::ln_gamma_half_step;
///
/// // Γ(3/2) / Γ(1) = √π / 2
/// let exact = (std::f64::consts::PI.sqrt() / 2.0).ln();
/// assert!((ln_gamma_half_step(1.0) - exact).abs() < 1e-14);
/// ```
#[must_use]
pub fn ln_gamma_half_step(z: f64) -> f64 {
    let product: f64 = (0..HALF_STEP_SHIFT)
        .map(|k| 1.0 + 0.5 / (z + f64::from(k)))
        .product();
    let far = z + f64::from(HALF_STEP_SHIFT);
    let square = 1.0 / (far * far);
    let series = HALF_STEP_SERIES
        .iter()
        .rev()
        .fold(0.0, |sum, c| sum * square + c);
    0.5 * far.ln() + series / far - product.ln()
}
