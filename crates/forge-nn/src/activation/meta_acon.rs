//! Meta-ACON: ACON-C with a switching factor per sample.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};

use super::acon_c;
use crate::broadcast::{along_channels, along_sample_channels};
use crate::config_macro::config;
use crate::norm::{BatchNorm, BatchNormConfig};
use crate::{ForgeError, Linear, LinearConfig, ModuleConfig, check};

config! {
    /// Recipe of a [`MetaAcon`].
    pub struct MetaAconConfig {
        /// Channels (axis 1), at least 1.
        pub n_channels: usize,
        /// The switching network is `max(reduction, n_channels / reduction)` wide; at least 1.
        #[config(default = 16)]
        pub reduction: usize,
    }
}

/// Meta-ACON: ACON-C whose switching factor `β` is a function of the sample.
///
/// `β = σ(bn₂(fc₂(bn₁(fc₁(mean of x over all positions)))))`, `[B, C]`; no activation between the
/// two layers, as in the authors' code. Batch statistics over the batch alone, eps 1e-5.
///
/// Ma et al., "Activate or Not", arXiv 2009.04759, section 3.3.
#[derive(Module, Debug)]
pub struct MetaAcon {
    /// Upper slope `p₁`, `[C]`.
    pub p1: Param<Tensor<1>>,
    /// Lower slope `p₂`, `[C]`.
    pub p2: Param<Tensor<1>>,
    /// `[C, hidden]`.
    pub fc1: Linear,
    /// Over `hidden`.
    pub bn1: BatchNorm,
    /// `[hidden, C]`.
    pub fc2: Linear,
    /// Over `C`.
    pub bn2: BatchNorm,
}

impl ModuleConfig for MetaAconConfig {
    type Module = MetaAcon;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("n_channels", self.n_channels)?;
        check::at_least_one("reduction", self.reduction)
    }

    fn build(&self, device: &Device) -> MetaAcon {
        let hidden = self.reduction.max(self.n_channels / self.reduction);
        let normal = Initializer::Normal {
            mean: 0.0,
            std: 1.0,
        };
        MetaAcon {
            p1: normal.init([self.n_channels], device),
            p2: normal.init([self.n_channels], device),
            fc1: LinearConfig::new(self.n_channels, hidden).init(device),
            bn1: BatchNormConfig::new(hidden).build(device),
            fc2: LinearConfig::new(hidden, self.n_channels).init(device),
            bn2: BatchNormConfig::new(self.n_channels).build(device),
        }
    }
}

impl MetaAcon {
    /// Applies the activation.
    ///
    /// # Shapes
    /// - input and output: `[B, C, ..]`
    ///
    /// # Panics
    /// If axis 1 is not `n_channels`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let beta = self.switching_factor(x.clone());
        self.forward_with(x, beta)
    }

    /// The switching factor of every sample and channel: 0 passes `x` through linearly, 1
    /// activates.
    ///
    /// # Shapes
    /// - input: `[B, C, ..]`
    /// - output: `[B, C]`
    ///
    /// # Panics
    /// If axis 1 is not `n_channels`.
    pub fn switching_factor<const D: usize>(&self, x: Tensor<D>) -> Tensor<2> {
        let [samples, channels] = [x.dims()[0], x.dims()[1]];
        let positions = x.shape().num_elements() / (samples * channels).max(1);
        let mean = x
            .reshape([samples, channels, positions])
            .mean_dim(2)
            .reshape([samples, channels]);
        let hidden = self.bn1.forward(self.fc1.forward(mean));
        sigmoid(self.bn2.forward(self.fc2.forward(hidden)))
    }

    /// Applies the activation with a given [`switching_factor`](Self::switching_factor).
    ///
    /// # Shapes
    /// - input and output: `[B, C, ..]`
    /// - beta: `[B, C]`
    ///
    /// # Panics
    /// If the shapes disagree.
    pub fn forward_with<const D: usize>(&self, x: Tensor<D>, beta: Tensor<2>) -> Tensor<D> {
        acon_c(
            x,
            along_channels(self.p1.val()),
            along_channels(self.p2.val()),
            along_sample_channels(beta),
        )
    }
}
