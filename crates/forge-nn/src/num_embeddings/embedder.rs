//! The layer.

use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::{
    NumEmbeddings, PeriodicEmbeddings, PiecewiseLinearEmbeddings, PiecewiseLinearEncoding,
};
use crate::config_macro::config;
use crate::parameters::KeyMap;
use crate::tokenizer::{NumericTokenizer, NumericTokenizerConfig};
use crate::{ForgeError, ModuleConfig, check};

config! {
    /// Recipe of a [`NumEmbedder`].
    pub struct NumEmbedderConfig {
        /// Number of features, at least 1.
        pub n_features: usize,
        /// How they become vectors.
        pub embeddings: NumEmbeddings,
    }
}

/// Numbers to vectors, whichever way [`NumEmbeddings`] says.
///
/// ```
/// use forge_nn::ModuleConfig;
/// use forge_nn::burn::tensor::{Device, Tensor};
/// use forge_nn::num_embeddings::{NumEmbedderConfig, NumEmbeddings, PeriodicEmbeddingsConfig};
///
/// let device = Device::flex();
/// let periodic = PeriodicEmbeddingsConfig::new().with_d_embedding(Some(7));
/// let layer = NumEmbedderConfig::new(3, NumEmbeddings::Periodic(periodic)).init(&device);
/// let x = Tensor::<2>::ones([5, 3], &device);
/// assert_eq!(layer.tokens(x.clone()).dims(), [5, 3, 7]);
/// assert_eq!(layer.flat(x).dims(), [5, 21]);
/// ```
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)]
pub enum NumEmbedder {
    /// `x_j w_j + b_j`.
    Linear(NumericTokenizer),
    /// `ReLU(x_j w_j + b_j)`.
    LinearRelu(LinearRelu),
    /// Sines and cosines of learnt frequencies, mixed.
    Periodic(PeriodicEmbeddings),
    /// How far a number has come through each bin.
    Encoding(PiecewiseLinearEncoding),
    /// That, mixed.
    PiecewiseLinear(PiecewiseLinearEmbeddings),
}

/// `ReLU(x_j w_j + b_j)`.
#[derive(Module, Debug)]
pub struct LinearRelu {
    /// `w` and `b`.
    pub linear: NumericTokenizer,
}

impl ModuleConfig for NumEmbedderConfig {
    type Module = NumEmbedder;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("n_features", self.n_features)?;
        self.embeddings.validate(self.n_features)
    }

    fn build(&self, device: &Device) -> NumEmbedder {
        let n = self.n_features;
        let width = self.embeddings.d_embedding().unwrap_or_default();
        match &self.embeddings {
            NumEmbeddings::Linear(_) => NumEmbedder::Linear(linear(n, width, device)),
            NumEmbeddings::LinearRelu(_) => NumEmbedder::LinearRelu(LinearRelu {
                linear: linear(n, width, device),
            }),
            NumEmbeddings::Periodic(config) => {
                NumEmbedder::Periodic(PeriodicEmbeddings::new(config, n, width, device))
            }
            NumEmbeddings::PiecewiseLinearEncoding(config) => {
                NumEmbedder::Encoding(PiecewiseLinearEncoding::new(&config.bins))
            }
            NumEmbeddings::PiecewiseLinear(config) => NumEmbedder::PiecewiseLinear(
                PiecewiseLinearEmbeddings::new(config, n, width, device),
            ),
        }
    }
}

/// `x_j w_j + b_j`: a numeric tokenizer by another name, started alike.
pub(super) fn linear(n_features: usize, d_token: usize, device: &Device) -> NumericTokenizer {
    NumericTokenizerConfig {
        n_features,
        d_token,
        bias: true,
        missing: false,
    }
    .build(device)
}

impl NumEmbedder {
    /// Number of features, `F`.
    #[must_use]
    pub fn n_features(&self) -> usize {
        match self {
            Self::Linear(layer) => layer.n_features(),
            Self::LinearRelu(layer) => layer.linear.n_features(),
            Self::Periodic(layer) => layer.n_features(),
            Self::Encoding(layer) => layer.n_features(),
            Self::PiecewiseLinear(layer) => layer.n_features(),
        }
    }

    /// One vector per feature.
    ///
    /// # Shapes
    /// - x: `[B, F]`
    /// - output: `[B, F, D]`
    ///
    /// # Panics
    /// If `x` is not `F` wide; for the encoding alone, which gives no vectors of one width.
    #[must_use]
    pub fn tokens(&self, x: Tensor<2>) -> Tensor<3> {
        let ([batch, width], features) = (x.dims(), self.n_features());
        // A width of 1 would broadcast.
        assert!(
            width == features,
            "x is [{batch}, {width}], expected [B, {features}]"
        );
        match self {
            Self::Linear(layer) => layer.forward(x, None),
            Self::LinearRelu(layer) => relu(layer.linear.forward(x, None)),
            Self::Periodic(layer) => layer.forward(x),
            Self::Encoding(_) => panic!("the piecewise-linear encoding alone gives no tokens"),
            Self::PiecewiseLinear(layer) => layer.forward(x),
        }
    }

    /// The vectors of all features one after the other.
    ///
    /// # Shapes
    /// - x: `[B, F]`
    /// - output: `[B, D]`, [`NumEmbeddings::width`] wide
    ///
    /// # Panics
    /// If `x` is not `F` wide.
    #[must_use]
    pub fn flat(&self, x: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Encoding(layer) => layer.forward(x),
            _ => self.tokens(x).flatten(1, 2),
        }
    }
}

impl NumEmbeddings {
    /// Adds the layer at `ours`, which `rtdl_num_embeddings` keeps at `theirs` (both end in a
    /// point, or are empty), to a map of names.
    #[must_use]
    pub fn key_map(&self, map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
        let both = |map: KeyMap, names: &[&str]| {
            names.iter().fold(map, |map, name| {
                map.same(&format!("{ours}{name}"), &format!("{theirs}{name}"))
            })
        };
        // What the package stores of the edges.
        let edges = ["weight", "bias", "mask", "single_bin_mask"];
        let derived = |map: KeyMap| {
            edges
                .iter()
                .fold(map, |map, name| map.ignore(&format!("{theirs}impl.{name}")))
        };
        match self {
            Self::Linear(_) => both(map, &["weight", "bias"]),
            Self::LinearRelu(_) => both(map, &["linear.weight", "linear.bias"]),
            Self::Periodic(config) => {
                let map = map.same(
                    &format!("{ours}frequencies"),
                    &format!("{theirs}periodic.weight"),
                );
                match config.lite {
                    true => map.linear(&format!("{ours}mix"), &format!("{theirs}linear")),
                    false => map
                        .same(
                            &format!("{ours}mix.weight"),
                            &format!("{theirs}linear.weight"),
                        )
                        .same(&format!("{ours}mix.bias"), &format!("{theirs}linear.bias")),
                }
            }
            Self::PiecewiseLinearEncoding(_) => derived(map),
            Self::PiecewiseLinear(config) => {
                let map = derived(both(map, &["linear.weight"]));
                match config.version {
                    super::PiecewiseVersion::A => both(map, &["linear.bias"]),
                    super::PiecewiseVersion::B => both(map, &["linear0.weight", "linear0.bias"]),
                }
            }
        }
    }
}
