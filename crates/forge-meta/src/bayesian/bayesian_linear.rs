//! A linear layer whose weights are distributions.

use burn::module::{Flag, Module, Param};
use burn::nn::Initializer;
use burn::tensor::activation::softplus;
use burn::tensor::{Device, Distribution, Tensor};
use forge_nn::{ForgeError, ModuleConfig, check, training_flag};
use serde::{Deserialize, Serialize};

use super::prior::Prior;

/// What is drawn in a forward pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampling {
    /// The outputs, from the distribution that the weights give them: one draw for each row, so
    /// that gradients vary less. Kingma, Salimans & Welling, arXiv 1506.02557.
    #[default]
    Local,
    /// The weights: one draw for the whole batch. Blundell et al., arXiv 1505.05424.
    Weight,
}

/// Recipe of a [`BayesianLinear`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BayesianLinearConfig {
    /// Width of the input, at least 1.
    pub d_in: usize,
    /// Width of the output, at least 1.
    pub d_out: usize,
    /// Standard deviation of the prior, above 0. Default: 1.
    #[serde(default = "one")]
    pub prior_sigma: f64,
    /// Mean of the prior. Default: 0.
    #[serde(default)]
    pub prior_mu: f64,
    /// What is drawn. Default: the outputs.
    #[serde(default)]
    pub sampling: Sampling,
    /// `ρ` at the start: the standard deviations start at `log(1 + exp ρ)`. Default: -5, which is
    /// 0.0067.
    #[serde(default = "start")]
    pub start_rho: f64,
}

fn one() -> f64 {
    1.0
}

fn start() -> f64 {
    -5.0
}

impl BayesianLinearConfig {
    /// With the other fields at their defaults.
    #[must_use]
    pub fn new(d_in: usize, d_out: usize) -> Self {
        Self {
            d_in,
            d_out,
            prior_sigma: one(),
            prior_mu: 0.0,
            sampling: Sampling::Local,
            start_rho: start(),
        }
    }
}

/// `y = x W + b` with `W` and `b` normal, each element with its own mean `μ` and standard deviation
/// `σ = log(1 + exp ρ)`.
///
/// The loss of a network of such layers over `N` training samples is the mean negative
/// log-likelihood plus the sum of [`kl`](Self::kl) over the layers divided by `N` (the negative
/// evidence lower bound per sample). Blundell et al., arXiv 1505.05424, with a normal prior, whose
/// divergence has a closed form.
///
/// It draws in [`Mode::Train`](forge_nn::Mode::Train) and [`Mode::Sample`](forge_nn::Mode::Sample);
/// in [`Mode::Evaluate`](forge_nn::Mode::Evaluate) it takes the means.
///
/// ```
/// use forge_meta::bayesian::BayesianLinearConfig;
/// use forge_nn::burn::tensor::{Device, Tensor};
/// use forge_nn::{Mode, ModuleConfig, set_mode};
///
/// let device = Device::flex();
/// let layer = BayesianLinearConfig::new(3, 2).init(&device);
/// let x = Tensor::<2>::ones([5, 3], &device);
/// assert_eq!(layer.forward(x.clone()).to_data(), layer.forward(x.clone()).to_data());
/// let layer = set_mode(layer, Mode::Sample);
/// assert_ne!(layer.forward(x.clone()).to_data(), layer.forward(x).to_data());
/// ```
#[derive(Module, Debug)]
pub struct BayesianLinear {
    /// `[D_in, D_out]`, uniform within `±1/√D_in`.
    pub weight_mu: Param<Tensor<2>>,
    /// `[D_in, D_out]`.
    pub weight_rho: Param<Tensor<2>>,
    /// `[D_out]`, from zeros.
    pub bias_mu: Param<Tensor<1>>,
    /// `[D_out]`.
    pub bias_rho: Param<Tensor<1>>,
    /// Whether it draws.
    pub training: Param<Flag>,
    prior_sigma: f64,
    prior_mu: f64,
    local: bool,
}

/// Standard normal draws for one forward pass of a [`BayesianLinear`].
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "made once per pass")]
pub enum LinearNoise {
    /// For [`Sampling::Local`]: `[B, D_out]`.
    Output(Tensor<2>),
    /// For [`Sampling::Weight`]: `[D_in, D_out]` and `[D_out]`.
    Weight(Tensor<2>, Tensor<1>),
}

impl ModuleConfig for BayesianLinearConfig {
    type Module = BayesianLinear;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("d_in", self.d_in)?;
        check::at_least_one("d_out", self.d_out)?;
        check::positive("prior_sigma", self.prior_sigma)?;
        check::in_range("prior_mu", self.prior_mu, f64::MIN..=f64::MAX)?;
        check::in_range("start_rho", self.start_rho, -50.0..=50.0)
    }

    fn build(&self, device: &Device) -> BayesianLinear {
        let bound = 1.0 / (self.d_in as f64).sqrt();
        let uniform = Initializer::Uniform {
            min: -bound,
            max: bound,
        };
        let rho = Initializer::Constant {
            value: self.start_rho,
        };
        BayesianLinear {
            weight_mu: uniform.init([self.d_in, self.d_out], device),
            weight_rho: rho.init([self.d_in, self.d_out], device),
            bias_mu: Initializer::Zeros.init([self.d_out], device),
            bias_rho: rho.init([self.d_out], device),
            training: training_flag(device),
            prior_sigma: self.prior_sigma,
            prior_mu: self.prior_mu,
            local: self.sampling == Sampling::Local,
        }
    }
}

impl BayesianLinear {
    /// # Shapes
    /// - x: `[B, D_in]`
    /// - output: `[B, D_out]`
    #[must_use]
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        if !self.training.is_enabled() {
            return x.matmul(self.weight_mu.val()) + self.bias_mu.val().unsqueeze();
        }
        let (device, dtype) = (x.device(), x.dtype());
        let normal = Distribution::Normal(0.0, 1.0);
        let [d_in, d_out] = self.weight_mu.val().dims();
        let noise = match self.local {
            true => {
                let shape = [x.dims()[0], d_out];
                LinearNoise::Output(Tensor::random(shape, normal, (&device, dtype)))
            }
            false => LinearNoise::Weight(
                Tensor::random([d_in, d_out], normal, (&device, dtype)),
                Tensor::random([d_out], normal, (&device, dtype)),
            ),
        };
        self.forward_with(x, noise)
    }

    /// With draws of one's own.
    ///
    /// # Shapes
    /// - x: `[B, D_in]`
    /// - output: `[B, D_out]`
    #[must_use]
    pub fn forward_with(&self, x: Tensor<2>, noise: LinearNoise) -> Tensor<2> {
        let (mu, bias) = (self.weight_mu.val(), self.bias_mu.val());
        let (sigma, bias_sigma) = self.sigmas();
        match noise {
            LinearNoise::Output(noise) => {
                let variance = x.clone().square().matmul(sigma.square());
                let variance = variance + bias_sigma.square().unsqueeze();
                x.matmul(mu) + bias.unsqueeze() + variance.sqrt() * noise
            }
            LinearNoise::Weight(of_weight, of_bias) => {
                let weight = mu + sigma * of_weight;
                x.matmul(weight) + (bias + bias_sigma * of_bias).unsqueeze()
            }
        }
    }

    fn sigmas(&self) -> (Tensor<2>, Tensor<1>) {
        let sigma = softplus(self.weight_rho.val(), 1.0);
        (sigma, softplus(self.bias_rho.val(), 1.0))
    }

    /// The Kullback-Leibler divergence of the weights' distribution from the prior, summed over all
    /// weights and biases: `Σ log(σ_p/σ) + (σ² + (μ - μ_p)²) / (2 σ_p²) - 1/2`.
    ///
    /// # Shapes
    /// - output: `[1]`
    #[must_use]
    pub fn kl(&self) -> Tensor<1> {
        let (sigma, bias_sigma) = self.sigmas();
        let prior = Prior {
            mu: self.prior_mu,
            sigma: self.prior_sigma,
        };
        prior.divergence(self.weight_mu.val(), sigma)
            + prior.divergence(self.bias_mu.val(), bias_sigma)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prior_of_zero_scale_is_refused() {
        let config = BayesianLinearConfig {
            prior_sigma: 0.0,
            ..BayesianLinearConfig::new(3, 2)
        };
        let error = config.validate().err().map(|error| error.to_string());
        assert!(error.is_some_and(|error| error.contains("prior_sigma = 0")));
    }
}
