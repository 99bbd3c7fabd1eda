//! Numbers as waves of learned frequencies.

use std::f64::consts::TAU;

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use crate::config_macro::config;
use crate::ops::LinearActivation;
use crate::{ForgeError, Linear, LinearConfig, ModuleConfig, check};

config! {
    /// Recipe of [`PlrEmbeddings`].
    pub struct PlrEmbeddingsConfig {
        /// Numbers per row, at least 1.
        pub n_features: usize,
        /// Frequencies per number, at least 1.
        pub n_frequencies: usize,
        /// Standard deviation of the frequencies at the start, in cycles per unit; above 0.
        pub frequency_scale: f64,
        /// Width of what a number becomes, at least 1.
        pub d_embedding: usize,
        /// One linear map for all numbers, and not one for each.
        #[config(default = true)]
        pub lite: bool,
    }
}

/// Periodic embeddings: `ReLU(Linear([cos(2π w x), sin(2π w x)]))` for every number, `w` its own
/// frequencies.
///
/// Gorishniy, Rubachev & Babenko 2022, "On Embeddings for Numerical Features in Tabular Deep
/// Learning" (arXiv 2203.05556), section 3.3, "PLR"; the lite form is that of TabR (arXiv
/// 2307.14338).
///
/// ```
/// use forge_nn::burn::tensor::{Device, Tensor};
/// use forge_nn::{ModuleConfig, PlrEmbeddingsConfig};
///
/// let device = Device::flex();
/// let layer = PlrEmbeddingsConfig::new(3, 8, 0.1, 4).init(&device);
/// assert_eq!(layer.forward(Tensor::ones([5, 3], &device)).dims(), [5, 3, 4]);
/// ```
#[derive(Module, Debug)]
pub struct PlrEmbeddings {
    /// `w`, `[F, n]`.
    pub frequencies: Param<Tensor<2>>,
    /// From waves to the embedding.
    pub linear: PlrMap,
    n_features: usize,
    d_embedding: usize,
}

/// One linear map for all numbers, or one for each.
#[derive(Module, Debug)]
pub enum PlrMap {
    /// From `2n` to `D`.
    Shared(Linear),
    /// `F` such maps.
    Own(PlrOwnMaps),
}

/// A linear map for each number.
#[derive(Module, Debug)]
pub struct PlrOwnMaps {
    /// `[F, 2n, D]`.
    pub weight: Param<Tensor<3>>,
    /// `[F, D]`.
    pub bias: Param<Tensor<2>>,
}

impl PlrEmbeddingsConfig {
    /// Number of trainable parameters.
    #[must_use]
    pub fn parameter_count(&self) -> usize {
        let maps = if self.lite { 1 } else { self.n_features };
        let map = (2 * self.n_frequencies + 1) * self.d_embedding;
        self.n_features * self.n_frequencies + maps * map
    }
}

impl ModuleConfig for PlrEmbeddingsConfig {
    type Module = PlrEmbeddings;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("n_features", self.n_features)?;
        check::in_range("n_frequencies", self.n_frequencies, 1..=65_536)?;
        check::positive("frequency_scale", self.frequency_scale)?;
        check::in_range("d_embedding", self.d_embedding, 1..=65_536)
    }

    fn build(&self, device: &Device) -> PlrEmbeddings {
        let (features, waves, width) = (self.n_features, 2 * self.n_frequencies, self.d_embedding);
        let frequencies = Initializer::Normal {
            mean: 0.0,
            std: self.frequency_scale,
        };
        let bound = 1.0 / (waves as f64).sqrt();
        let uniform = Initializer::Uniform {
            min: -bound,
            max: bound,
        };
        let linear = match self.lite {
            true => PlrMap::Shared(LinearConfig::new(waves, width).build(device)),
            false => PlrMap::Own(PlrOwnMaps {
                weight: uniform.init([features, waves, width], device),
                bias: uniform.init([features, width], device),
            }),
        };
        PlrEmbeddings {
            frequencies: frequencies.init([features, self.n_frequencies], device),
            linear,
            n_features: features,
            d_embedding: width,
        }
    }
}

impl PlrEmbeddings {
    /// What every number becomes.
    ///
    /// # Shapes
    /// - x: `[B, F]`
    /// - output: `[B, F, D]`
    ///
    /// # Panics
    /// If `x` is not `F` wide.
    #[must_use]
    pub fn forward(&self, x: Tensor<2>) -> Tensor<3> {
        let ([batch, width], features) = (x.dims(), self.n_features);
        // A width of 1 would broadcast.
        assert!(
            width == features,
            "x is [{batch}, {width}], expected [B, {features}]"
        );
        let frequencies: Tensor<3> = self.frequencies.val().unsqueeze();
        let angles = x.unsqueeze_dim::<3>(2) * (frequencies * TAU);
        let waves = Tensor::cat(vec![angles.clone().cos(), angles.sin()], 2);
        match &self.linear {
            PlrMap::Shared(linear) => linear.forward_activated(waves, LinearActivation::Relu),
            PlrMap::Own(maps) => {
                let y = waves.swap_dims(0, 1).matmul(maps.weight.val());
                relu(y.swap_dims(0, 1) + maps.bias.val().unsqueeze::<3>())
            }
        }
    }

    /// Numbers per row, `F`.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// Width of what a number becomes, `D`.
    #[must_use]
    pub fn d_embedding(&self) -> usize {
        self.d_embedding
    }
}
