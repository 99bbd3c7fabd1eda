//! How far weights are from their prior.

use burn::tensor::Tensor;

/// A normal distribution, the same for every weight.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prior {
    pub(super) mu: f64,
    pub(super) sigma: f64,
}

impl Prior {
    /// The Kullback-Leibler divergence of normal distributions of mean `mu` and standard deviation
    /// `sigma` from the prior, summed: `Σ log(σ_p/σ) + (σ² + (μ - μ_p)²) / (2 σ_p²) - 1/2`, `[1]`.
    pub(super) fn divergence<const D: usize>(self, mu: Tensor<D>, sigma: Tensor<D>) -> Tensor<1> {
        let far = mu.sub_scalar(self.mu).square() + sigma.clone().square();
        let far = far * (0.5 / (self.sigma * self.sigma));
        let each = far - sigma.log() + (self.sigma.ln() - 0.5);
        each.sum()
    }
}
