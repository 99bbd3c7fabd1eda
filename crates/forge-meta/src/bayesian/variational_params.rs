//! Any module with distributions for weights.

use burn::tensor::activation::softplus;
use burn::tensor::{Gradients, Tensor};
use forge_nn::{ForgeError, check};
use forge_train::checkpoint::{PartState, RunPart};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::prior::Prior;
use crate::functional::{ParamTensor, Params};

/// How a module becomes Bayesian.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VariationalConfig {
    /// Which parameters are distributions: those whose name contains one of these; all if empty.
    /// Default: all.
    pub parameters: Vec<String>,
    /// Mean of the prior. Default: 0.
    pub prior_mu: f64,
    /// Standard deviation of the prior, above 0. Default: 1.
    pub prior_sigma: f64,
    /// `ρ` at the start, -50 to 50: standard deviations start at `log(1 + exp ρ)`. Default: -5.
    pub start_rho: f64,
}

impl Default for VariationalConfig {
    fn default() -> Self {
        Self {
            parameters: Vec::new(),
            prior_mu: 0.0,
            prior_sigma: 1.0,
            start_rho: -5.0,
        }
    }
}

/// A normal distribution for each chosen parameter of a module, of mean `μ` and standard deviation
/// `σ = log(1 + exp ρ)` per element; the other parameters have a mean alone. Blundell et al., arXiv
/// 1505.05424.
///
/// A step draws weights `μ + σ ε` from [leaves](Self::require_grad), computes the loss with them by a
/// [`Functional`](crate::functional::Functional), adds [`kl`](Self::kl) over the number of training
/// samples, and moves `μ` and `ρ` against the [gradients](Self::gradients).
///
/// ```
/// use forge_meta::bayesian::{VariationalConfig, VariationalParams};
/// use forge_meta::functional::{Functional, Params};
/// use forge_nn::burn::nn::LinearConfig;
/// use forge_nn::burn::tensor::{Device, Tensor};
///
/// let device = Device::flex();
/// let model = LinearConfig::new(2, 1).init(&device);
/// let loss = Functional::capture(&model, |model, (x, y): (Tensor<2>, Tensor<2>)| {
///     (model.forward(x) - y).square().mean()
/// });
/// let mut weights = VariationalParams::around(&Params::of(&model), VariationalConfig::default())?;
/// let (x, y) = (Tensor::ones([4, 2], &device), Tensor::ones([4, 1], &device));
/// for step in 0..3 {
///     let leaves = weights.require_grad();
///     let loss = loss.call(&leaves.sample(step)?, (x.clone(), y.clone()))? + leaves.kl()? / 4.0;
///     weights = weights.add_scaled(&leaves.gradients(&loss.backward()), -0.01)?;
/// }
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Debug, Clone)]
pub struct VariationalParams {
    config: VariationalConfig,
    mean: Params,
    /// Of the chosen alone.
    rho: Params,
}

impl VariationalParams {
    /// Around the weights that a module has.
    ///
    /// # Errors
    /// A config error for a bad field, or for names that no parameter has.
    pub fn around(mean: &Params, config: VariationalConfig) -> Result<Self, ForgeError> {
        check::positive("prior_sigma", config.prior_sigma)?;
        check::in_range("prior_mu", config.prior_mu, f64::MIN..=f64::MAX)?;
        check::in_range("start_rho", config.start_rho, -50.0..=50.0)?;
        if let Some(none) = config.parameters.iter().find(|part| {
            let part = part.as_str();
            !mean.names().any(|name| name.contains(part))
        }) {
            let names: Vec<&str> = mean.names().collect();
            let allowed = format!("a part of a parameter's name: {}", names.join(", "));
            return Err(ForgeError::config("parameters", none, allowed));
        }
        let parts = &config.parameters;
        let chosen =
            |name: &str| parts.is_empty() || parts.iter().any(|part| name.contains(part.as_str()));
        let chosen = mean.iter().filter(|(name, _)| chosen(name));
        let rho = chosen.map(|(name, tensor)| {
            let rho = tensor.clone().zeros_like().add_scalar(config.start_rho);
            (name.to_string(), rho)
        });
        Ok(Self {
            rho: Params::from_entries(rho),
            mean: mean.detach(),
            config,
        })
    }

    /// The means of all parameters.
    #[must_use]
    pub fn mean(&self) -> &Params {
        &self.mean
    }

    /// `ρ` of the chosen parameters.
    #[must_use]
    pub fn rho(&self) -> &Params {
        &self.rho
    }

    /// Weights drawn; the same for the same seed.
    ///
    /// # Errors
    /// As [`sample_with`](Self::sample_with).
    pub fn sample(&self, seed: u64) -> Result<Params, ForgeError> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        self.sample_with(&self.rho.normal_like(&mut random))
    }

    /// Weights with standard normal numbers of one's own, one for each chosen element.
    ///
    /// # Errors
    /// A weights error if `noise` has not the names and shapes of [`rho`](Self::rho).
    pub fn sample_with(&self, noise: &Params) -> Result<Params, ForgeError> {
        let moved = self.rho.zip(noise, |_, rho, z| sigma(rho).mul(z))?;
        let mut moved = moved.iter().peekable();
        Ok(self.mean.map(
            |name, mean| match moved.next_if(|(chosen, _)| *chosen == name) {
                Some((_, by)) => mean.add(by.clone()),
                None => mean,
            },
        ))
    }

    /// The Kullback-Leibler divergence from the prior, over all chosen elements:
    /// `Σ log(σ_p/σ) + (σ² + (μ - μ_p)²) / (2 σ_p²) - 1/2`, `[1]`.
    ///
    /// # Errors
    /// A weights error if no parameter is chosen, of a module without any.
    pub fn kl(&self) -> Result<Tensor<1>, ForgeError> {
        let prior = Prior {
            mu: self.config.prior_mu,
            sigma: self.config.prior_sigma,
        };
        let chosen = self
            .mean
            .iter()
            .filter(|(name, _)| self.rho.names().any(|n| n == *name));
        // Both in the module's order.
        let each = chosen.zip(self.rho.iter()).map(|((_, mean), (_, rho))| {
            let [mean, sigma] = [mean.clone(), sigma(rho.clone())]
                .map(|tensor| Tensor::from_dispatch(tensor.flat()));
            prior.divergence::<1>(mean, sigma)
        });
        each.reduce(|a, b| a + b)
            .ok_or_else(|| ForgeError::weights("the module has no parameters to be unsure of"))
    }

    /// The same as leaves of a new graph.
    #[must_use]
    pub fn require_grad(&self) -> Self {
        Self {
            config: self.config.clone(),
            mean: self.mean.require_grad(),
            rho: self.rho.require_grad(),
        }
    }

    /// The gradients of these leaves, of `μ` and `ρ`.
    #[must_use]
    pub fn gradients(&self, gradients: &Gradients) -> Self {
        Self {
            config: self.config.clone(),
            mean: self.mean.gradients(gradients),
            rho: self.rho.gradients(gradients),
        }
    }

    /// `self + factor · other`, of `μ` and `ρ`.
    ///
    /// # Errors
    /// A weights error if `other` is of another module.
    pub fn add_scaled(&self, other: &Self, factor: f64) -> Result<Self, ForgeError> {
        Ok(Self {
            config: self.config.clone(),
            mean: self.mean.add_scaled(&other.mean, factor)?,
            rho: self.rho.add_scaled(&other.rho, factor)?,
        })
    }
}

/// A state is taken by distributions around the weights of the same module.
impl RunPart for VariationalParams {
    fn name(&self) -> &str {
        "variational"
    }

    fn config(&self) -> Value {
        json!(self.config)
    }

    fn state(&self) -> Result<PartState, ForgeError> {
        let mut tensors = self.mean.saved("mean");
        tensors.append(&mut self.rho.saved("rho"));
        Ok(PartState::default().with_tensors(tensors))
    }

    fn restore(&mut self, mut state: PartState) -> Result<(), ForgeError> {
        let device = self.mean.iter().next().map(|(_, tensor)| tensor.device());
        let device = device.unwrap_or_default();
        let mut take = |section: &str| Params::restored(section, &mut state.tensors, &device);
        let (mean, rho) = (take("mean"), take("rho"));
        self.mean.same_as(&mean, "the saved state")?;
        self.rho.same_as(&rho, "the saved state")?;
        state.into_nothing()?;
        (self.mean, self.rho) = (mean, rho);
        Ok(())
    }
}

fn sigma(rho: ParamTensor) -> ParamTensor {
    rho.elementwise(|rho| softplus(rho, 1.0))
}
