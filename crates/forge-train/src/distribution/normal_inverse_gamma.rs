//! Evidence for a mean and a variance.

/// What evidence `ν` for a mean `γ` and `α`, `β` for a variance says of a number: it has Student's t
/// distribution, and its variance two parts. Amini et al., arXiv 1910.02600, eq. 5.
///
/// ```
/// use forge_train::distribution::NormalInverseGamma;
///
/// let said = NormalInverseGamma { mean: 1.0, nu: 2.0, spare: 2.0, beta: 4.0 };
/// assert_eq!((said.aleatoric(), said.epistemic(), said.df()), (2.0, 1.0, 6.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NormalInverseGamma {
    /// `γ`.
    pub mean: f64,
    /// `ν`, above 0.
    pub nu: f64,
    /// `α - 1`, above 0: what variances are divided by, and exact where `α` is near 1.
    pub spare: f64,
    /// `β`, above 0.
    pub beta: f64,
}

impl NormalInverseGamma {
    /// `E[σ²] = β/(α - 1)`: the variance that more data would not take away.
    #[must_use]
    pub fn aleatoric(self) -> f64 {
        self.beta / self.spare
    }

    /// `Var[μ] = β/(ν (α - 1))`: the mean's own variance, which data would take away.
    #[must_use]
    pub fn epistemic(self) -> f64 {
        self.aleatoric() / self.nu
    }

    /// The degrees of freedom of Student's t, `2α`.
    #[must_use]
    pub fn df(self) -> f64 {
        2.0 * (1.0 + self.spare)
    }
}
