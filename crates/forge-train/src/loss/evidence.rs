//! Evidential regression.

use burn::tensor::Tensor;

use super::{residual, same_shape, softplus, student_t_nll};

/// Evidence for a target: a normal-inverse-gamma distribution over its mean and variance, element by
/// element (Amini et al. 2020, "Deep Evidential Regression", arXiv 1910.02600).
#[derive(Debug, Clone)]
pub struct Evidence<const D: usize> {
    /// The mean, `γ`.
    pub mean: Tensor<D>,
    /// Observations that the mean is worth, `ν`, above 0.
    pub nu: Tensor<D>,
    /// Half of the observations that the variance is worth, `α`, above 1.
    pub alpha: Tensor<D>,
    /// Scale of the variance, `β`, above 0.
    pub beta: Tensor<D>,
}

impl<const D: usize> Evidence<D> {
    /// The authors' head: of four outputs per target the first is `γ`, and softplus of the others is
    /// `ν`, `α - 1` and `β`.
    ///
    /// # Shapes
    /// - raw: `[…, 4]`
    /// - output: `[…, 1]`
    ///
    /// # Panics
    /// If the last axis is not 4.
    #[must_use]
    pub fn from_raw(raw: Tensor<D>) -> Self {
        assert_eq!(
            raw.dims()[D - 1],
            4,
            "evidence: outputs have shape {:?}, the last axis must be 4",
            raw.dims()
        );
        let part = |at: usize| raw.clone().narrow(D - 1, at, 1);
        Self {
            mean: part(0),
            nu: softplus(part(1)),
            alpha: softplus(part(2)).add_scalar(1.0),
            beta: softplus(part(3)),
        }
    }

    /// The negative log density of `target` with mean and variance integrated out (eq. 8): Student's t
    /// with `2α` degrees of freedom, location `γ` and the squared scale `β (1 + ν)/(ν α)`.
    ///
    /// # Shapes
    /// - target and output: those of the evidence
    ///
    /// # Panics
    /// If the shapes differ; the message has both.
    #[must_use]
    pub fn nll(&self, target: Tensor<D>) -> Tensor<D> {
        let scale = self
            .beta
            .clone()
            .mul(self.nu.clone().add_scalar(1.0))
            .div(self.nu.clone())
            .div(self.alpha.clone())
            .sqrt();
        let df = self.alpha.clone().mul_scalar(2.0);
        student_t_nll(self.mean.clone(), scale, df, target)
    }

    /// `|r| (2ν + α)`: evidence is to be small where the mean is wrong (eq. 9). The gradient in `γ` at
    /// `r = 0` is 0.
    ///
    /// # Shapes
    /// - target and output: those of the evidence
    ///
    /// # Panics
    /// If the shapes differ; the message has both.
    #[must_use]
    pub fn regulariser(&self, target: Tensor<D>) -> Tensor<D> {
        same_shape("nu", &self.nu, &target);
        let evidence = self.nu.clone().mul_scalar(2.0).add(self.alpha.clone());
        residual(self.mean.clone(), target).abs().mul(evidence)
    }

    /// `E[σ²] = β/(α - 1)`: the variance that more data would not take away (eq. 5).
    ///
    /// # Shapes
    /// - output: that of the evidence
    #[must_use]
    pub fn aleatoric(&self) -> Tensor<D> {
        self.beta.clone().div(self.alpha.clone().sub_scalar(1.0))
    }

    /// `Var[μ] = β/(ν (α - 1))`: the variance of the mean itself, which data would take away (eq. 5).
    ///
    /// # Shapes
    /// - output: that of the evidence
    #[must_use]
    pub fn epistemic(&self) -> Tensor<D> {
        self.aleatoric().div(self.nu.clone())
    }
}
