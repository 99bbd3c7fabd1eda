//! Which embedding, as a field of a model's config.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    BinTargets, Binning, PeriodicEmbeddingsConfig, PiecewiseLinearEmbeddingsConfig,
    PiecewiseLinearEncodingConfig,
};
use crate::config_macro::config;
use crate::{ForgeError, check};

/// Width of an embedding where neither config nor model says: the authors' for periodic ones.
const D_EMBEDDING: usize = 24;
/// Far above any use; keeps a hostile config from asking for more than a machine has.
const WIDEST: usize = 65_536;

config! {
    /// `x_j w_j + b_j` per feature, with or without a ReLU.
    pub struct LinearEmbeddingsConfig {
        /// Width of a feature's vector, at least 1. Absent: the model's width of a token where it
        /// has one, 24 elsewhere.
        #[config(default = None)]
        pub d_embedding: Option<usize>,
    }
}

/// How numbers become vectors, for any number of features: the optional field `num_embeddings` of
/// the models that take numbers.
///
/// ```
/// use forge_nn::num_embeddings::NumEmbeddings;
///
/// let json = r#"{"kind": "periodic", "n_frequencies": 16, "lite": true}"#;
/// let periodic: NumEmbeddings = serde_json::from_str(json)?;
/// assert_eq!(periodic.width(5), 5 * 24);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NumEmbeddings {
    /// `x_j w_j + b_j`.
    Linear(LinearEmbeddingsConfig),
    /// `ReLU(x_j w_j + b_j)`.
    LinearRelu(LinearEmbeddingsConfig),
    /// Sines and cosines of learnt frequencies, mixed.
    Periodic(PeriodicEmbeddingsConfig),
    /// How far a number has come through each bin.
    PiecewiseLinearEncoding(PiecewiseLinearEncodingConfig),
    /// That, mixed.
    PiecewiseLinear(PiecewiseLinearEmbeddingsConfig),
}

impl NumEmbeddings {
    /// Its `kind`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Linear(_) => "linear",
            Self::LinearRelu(_) => "linear_relu",
            Self::Periodic(_) => "periodic",
            Self::PiecewiseLinearEncoding(_) => "piecewise_linear_encoding",
            Self::PiecewiseLinear(_) => "piecewise_linear",
        }
    }

    /// Checks every field, for `n_features` features.
    ///
    /// # Errors
    /// A config error naming the field, its value and what is allowed; for piecewise embeddings
    /// without bins, how to get them.
    pub fn validate(&self, n_features: usize) -> Result<(), ForgeError> {
        if let Some(width) = self.d_embedding() {
            check::in_range("num_embeddings.d_embedding", width, 1..=WIDEST)?;
        }
        match self {
            Self::Linear(_) | Self::LinearRelu(_) => Ok(()),
            Self::Periodic(config) => config.validate(),
            Self::PiecewiseLinearEncoding(config) => config.validate(n_features),
            Self::PiecewiseLinear(config) => config.validate(n_features),
        }
    }

    /// The given width of a feature's vector, by reference, for the kinds that have one.
    fn given_width(&mut self) -> Option<&mut Option<usize>> {
        match self {
            Self::Linear(config) | Self::LinearRelu(config) => Some(&mut config.d_embedding),
            Self::Periodic(config) => Some(&mut config.d_embedding),
            Self::PiecewiseLinearEncoding(_) => None,
            Self::PiecewiseLinear(config) => Some(&mut config.d_embedding),
        }
    }

    /// Width of a feature's vector; absent for the encoding, where features differ.
    #[must_use]
    pub fn d_embedding(&self) -> Option<usize> {
        let given = match self {
            Self::Linear(config) | Self::LinearRelu(config) => config.d_embedding,
            Self::Periodic(config) => config.d_embedding,
            Self::PiecewiseLinearEncoding(_) => return None,
            Self::PiecewiseLinear(config) => config.d_embedding,
        };
        Some(given.unwrap_or(D_EMBEDDING))
    }

    /// The vectors of a row's `n_features` features one after the other: how wide they are.
    #[must_use]
    pub fn width(&self, n_features: usize) -> usize {
        match (self, self.d_embedding()) {
            (_, Some(width)) => n_features * width,
            (Self::PiecewiseLinearEncoding(config), None) => config.width(),
            (_, None) => 0,
        }
    }

    /// These as tokens of width `d_token`.
    ///
    /// # Errors
    /// A config error if another width is given, or the kind gives no vector per feature.
    pub fn of_width(&self, d_token: usize) -> Result<Self, ForgeError> {
        let mut embeddings = self.clone();
        let Some(width) = embeddings.given_width() else {
            let allowed = "linear, linear_relu, periodic or piecewise_linear: the encoding alone \
                           gives no token";
            return Err(ForgeError::config(
                "num_embeddings.kind",
                self.kind(),
                allowed,
            ));
        };
        match *width {
            Some(given) if given != d_token => {
                let allowed = format!("absent or {d_token}, the width of a token");
                Err(ForgeError::config(
                    "num_embeddings.d_embedding",
                    given,
                    allowed,
                ))
            }
            _ => {
                *width = Some(d_token);
                Ok(embeddings)
            }
        }
    }

    /// These with another width of a feature's vector (made of the given one, which may be absent)
    /// and another number of frequencies, for the kinds that have them. Bins stay: they are the
    /// data's.
    #[must_use]
    pub fn map_widths(
        mut self,
        width: impl FnOnce(Option<usize>) -> Option<usize>,
        frequencies: impl FnOnce(usize) -> usize,
    ) -> Self {
        if let Some(given) = self.given_width() {
            *given = width(*given);
        }
        if let Self::Periodic(config) = &mut self {
            config.n_frequencies = frequencies(config.n_frequencies);
        }
        self
    }

    /// Number of trainable parameters for `n_features` features. Call on what
    /// [`validate`](Self::validate) has accepted.
    #[must_use]
    pub fn parameter_count(&self, n_features: usize) -> usize {
        let width = self.d_embedding().unwrap_or_default();
        match self {
            Self::Linear(_) | Self::LinearRelu(_) => 2 * n_features * width,
            Self::Periodic(config) => config.parameter_count(n_features, width),
            Self::PiecewiseLinearEncoding(_) => 0,
            Self::PiecewiseLinear(config) => config.parameter_count(n_features, width),
        }
    }

    /// How its bins are found; absent for kinds without bins.
    #[must_use]
    pub fn binning(&self) -> Option<&Binning> {
        match self {
            Self::PiecewiseLinearEncoding(config) => Some(&config.binning),
            Self::PiecewiseLinear(config) => Some(&config.binning),
            _ => None,
        }
    }

    /// With bins found in training data, columns beside each other: `column` gives the values of
    /// feature `j`. Kinds without bins, and [given](Binning::Given) bins, stay as they are.
    ///
    /// # Errors
    /// What [`Binning::edges`] finds wrong, with the number of the feature.
    pub fn fitted_to(
        mut self,
        n_features: usize,
        column: impl Fn(usize) -> Vec<f64> + Sync,
        targets: BinTargets<'_>,
    ) -> Result<Self, ForgeError> {
        let (binning, bins) = match &mut self {
            Self::PiecewiseLinearEncoding(config) => (&config.binning, &mut config.bins),
            Self::PiecewiseLinear(config) => (&config.binning, &mut config.bins),
            _ => return Ok(self),
        };
        if *binning != Binning::Given {
            let edges = |j| binning.edges(j, &column(j), targets);
            let found: Vec<_> = (0..n_features).into_par_iter().map(edges).collect();
            *bins = found.into_iter().collect::<Result<_, _>>()?;
        }
        Ok(self)
    }
}
