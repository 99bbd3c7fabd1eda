//! A linear map of the piecewise-linear encoding.

use burn::module::Module;
use burn::nn::Initializer;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::Binning;
use super::embedder::linear;
use super::piecewise::{Slots, check_bins};
use crate::config_macro::config;
use crate::tokenizer::NumericTokenizer;
use crate::{ForgeError, GroupedLinear, GroupedLinearConfig, ModuleConfig};

/// Which of the authors' two.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum PiecewiseVersion {
    /// `act(W_j enc(x_j) + b_j)`, as in arXiv 2203.05556.
    A,
    /// `x_j w_j + b_j + act(W_j enc(x_j))`, `W` starting at 0: at first a linear embedding, as in
    /// TabM (arXiv 2410.24210).
    #[default]
    B,
}

config! {
    /// A linear map of the piecewise-linear encoding, one per feature.
    pub struct PiecewiseLinearEmbeddingsConfig {
        /// Width of a feature's vector, at least 1. Absent: the model's width of a token where it
        /// has one, 24 elsewhere.
        #[config(default = None)]
        pub d_embedding: Option<usize>,
        /// Whether a ReLU follows the map.
        #[config(default = false)]
        pub activation: bool,
        /// `"A"` or `"B"`.
        #[config(default = PiecewiseVersion::B)]
        pub version: PiecewiseVersion,
        /// How the bins are found in training data.
        #[config(default = Binning::default())]
        pub binning: Binning,
        /// The edges of each feature's bins, rising, at least two. Set from training data unless
        /// `binning` is `given`.
        #[config(default = Vec::new())]
        pub bins: Vec<Vec<f64>>,
    }
}

impl PiecewiseLinearEmbeddingsConfig {
    pub(super) fn validate(&self, n_features: usize) -> Result<(), ForgeError> {
        check_bins(&self.binning, &self.bins, n_features)
    }

    /// Bins of the feature that has most.
    fn most_bins(&self) -> usize {
        let counts = self.bins.iter().map(|edges| edges.len().saturating_sub(1));
        counts.max().unwrap_or(0)
    }

    pub(super) fn parameter_count(&self, n_features: usize, width: usize) -> usize {
        let beside = match self.version {
            PiecewiseVersion::A => 1,
            PiecewiseVersion::B => 2,
        };
        n_features * (self.most_bins() + beside) * width
    }
}

/// A linear map of the [piecewise-linear encoding](super::PiecewiseLinearEncoding), one per feature:
/// [`PiecewiseVersion`] has the formulas.
///
/// Features have as many places as the one with most bins. A feature with fewer has its last bin in
/// the last place and the others from the first on, as in the authors' package; what lies between
/// learns nothing.
#[derive(Module, Debug)]
pub struct PiecewiseLinearEmbeddings {
    /// `W` and, in version A, `b`.
    pub linear: GroupedLinear,
    /// `w` and `b` of version B.
    pub linear0: Option<NumericTokenizer>,
    #[module(skip)]
    slots: Slots,
    activation: bool,
}

impl PiecewiseLinearEmbeddings {
    pub(super) fn new(
        config: &PiecewiseLinearEmbeddingsConfig,
        n_features: usize,
        width: usize,
        device: &Device,
    ) -> Self {
        let places = config.most_bins();
        let mut slots = Slots::default();
        for edges in &config.bins {
            let last = edges.len() - 2;
            (0..last).for_each(|t| slots.push(edges, t));
            slots.skip(places + 1 - edges.len());
            slots.push(edges, last);
        }
        let linear_of = GroupedLinearConfig::new(n_features, places, width);
        let (map, linear0) = match config.version {
            PiecewiseVersion::A => (linear_of, None),
            PiecewiseVersion::B => (
                linear_of
                    .with_bias(false)
                    .with_initializer(Initializer::Zeros),
                Some(linear(n_features, width, device)),
            ),
        };
        Self {
            linear: map.build(device),
            linear0,
            slots,
            activation: config.activation,
        }
    }

    pub(super) fn n_features(&self) -> usize {
        self.linear.n_groups()
    }

    /// # Shapes
    /// - x: `[B, F]`
    /// - output: `[B, F, D]`
    pub(super) fn forward(&self, x: Tensor<2>) -> Tensor<3> {
        let shape = [1, self.linear.n_groups(), self.linear.d_input()];
        let encoded = self.slots.fill(x.clone().unsqueeze_dim::<3>(2), shape);
        let mapped = self.linear.forward(encoded);
        let mapped = match self.activation {
            true => relu(mapped),
            false => mapped,
        };
        match &self.linear0 {
            Some(linear0) => linear0.forward(x, None) + mapped,
            None => mapped,
        }
    }
}
