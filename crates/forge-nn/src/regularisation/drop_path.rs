//! Stochastic depth.

use burn::module::{Flag, Module, Param};
use burn::tensor::{Device, Distribution, Tensor};

use crate::config_macro::config;
use crate::{ForgeError, ModuleConfig, check, training_flag};

config! {
    /// Recipe of a [`DropPath`].
    pub struct DropPathConfig {
        /// Probability that a sample skips the branch, in `[0, 1)`.
        pub rate: f64,
    }
}

/// Stochastic depth per sample: in training a residual branch is dropped for a random part of the
/// batch and divided by the survival probability for the rest, so its expectation stays.
///
/// Huang et al., "Deep Networks with Stochastic Depth", arXiv 1603.09382. The paper drops a branch
/// for the whole batch and scales at test time instead; dropping a sample and scaling in training
/// has the same expectation and is what later code (EfficientNet, timm) does.
///
/// It acts in [`Mode::Train`](crate::Mode::Train) and [`Mode::Sample`](crate::Mode::Sample).
#[derive(Module, Debug)]
pub struct DropPath {
    /// Whether samples may be dropped.
    pub training: Param<Flag>,
    rate: f64,
}

impl ModuleConfig for DropPathConfig {
    type Module = DropPath;

    fn validate(&self) -> Result<(), ForgeError> {
        check::probability("rate", self.rate)
    }

    fn build(&self, device: &Device) -> DropPath {
        DropPath {
            training: training_flag(device),
            rate: self.rate,
        }
    }
}

impl DropPath {
    /// The branch as it is to be added to the residual stream.
    ///
    /// # Shapes
    /// - input and output: `[B, ..]`
    pub fn forward<const D: usize>(&self, branch: Tensor<D>) -> Tensor<D> {
        if !self.training.is_enabled() || self.rate == 0.0 {
            return branch;
        }
        let keep = 1.0 - self.rate;
        let mut shape = [1; D];
        shape[0] = branch.dims()[0];
        let options = (&branch.device(), branch.dtype());
        let survives = Tensor::<D>::random(shape, Distribution::Bernoulli(keep), options);
        branch * (survives / keep)
    }
}

/// The linear rule: block `l` of `depth` (from 1) is dropped with probability
/// `l / depth · last_rate`, early blocks seldom, the last one at `last_rate`.
///
/// Huang et al., arXiv 1603.09382, equation (4) with `p_L = 1 - last_rate`. timm's variant spaces
/// the rates from 0 instead, so that its first block is never dropped.
///
/// ```
/// assert_eq!(forge_nn::regularisation::linear_drop_rates(4, 0.5), [0.125, 0.25, 0.375, 0.5]);
/// ```
#[must_use]
pub fn linear_drop_rates(depth: usize, last_rate: f64) -> Vec<f64> {
    (1..=depth)
        .map(|block| last_rate * block as f64 / depth as f64)
        .collect()
}
