//! Normalisation of queries and keys.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::{LayerNorm, LayerNormConfig, RmsNorm, RmsNormConfig};
use crate::broadcast::along_channels;
use crate::config_macro::config;
use crate::ops::in_f32;
use crate::{ForgeError, ModuleConfig, check};

/// How queries and keys are normalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QkNormKind {
    /// RMSNorm over a head's width, one affine for all heads; scores keep `1/√d`.
    #[default]
    Rms,
    /// LayerNorm over a head's width, one affine for all heads; scores keep `1/√d`.
    Layer,
    /// Unit length, times a learnable temperature per head on the queries; scores are not scaled.
    L2,
}

config! {
    /// Recipe of a [`QkNorm`].
    pub struct QkNormConfig {
        /// Which normalisation.
        pub kind: QkNormKind,
        /// Query heads, at least 1.
        pub n_heads: usize,
        /// Width of a head, at least 1.
        pub head_dim: usize,
        /// Inside the root for `Rms` and `Layer`, the smallest length divided by for `L2`; above 0.
        #[config(default = 1e-6)]
        pub eps: f64,
    }
}

/// The normalisation of one side, queries or keys.
#[derive(Module, Debug)]
pub enum HeadNorm {
    /// Root mean square.
    Rms(RmsNorm),
    /// Mean and variance.
    Layer(LayerNorm),
}

/// Normalises queries and keys over each head's width, which bounds the attention scores.
///
/// Henry et al., "Query-Key Normalization for Transformers", arXiv 2010.04245 (`L2`, there with
/// one temperature, here one per head as in XCiT); Dehghani et al., "ViT-22B", arXiv 2302.05442
/// (`Layer`); the same with RMSNorm in later language models (`Rms`).
#[derive(Module, Debug)]
pub struct QkNorm {
    /// Of the queries; none for `L2`.
    pub q_norm: Option<HeadNorm>,
    /// Of the keys; none for `L2`.
    pub k_norm: Option<HeadNorm>,
    /// `[H]`, from `√head_dim` (so that a fresh layer scores like plain attention of
    /// unit-variance vectors); only for `L2`.
    pub temperature: Option<Param<Tensor<1>>>,
    eps: f64,
}

impl ModuleConfig for QkNormConfig {
    type Module = QkNorm;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("n_heads", self.n_heads)?;
        check::at_least_one("head_dim", self.head_dim)?;
        check::positive("eps", self.eps)
    }

    fn build(&self, device: &Device) -> QkNorm {
        let side = || match self.kind {
            QkNormKind::Rms => Some(HeadNorm::Rms(
                RmsNormConfig::new(self.head_dim)
                    .with_eps(self.eps)
                    .build(device),
            )),
            QkNormKind::Layer => Some(HeadNorm::Layer(
                LayerNormConfig::new(self.head_dim)
                    .with_eps(self.eps)
                    .build(device),
            )),
            QkNormKind::L2 => None,
        };
        let temperature = (self.kind == QkNormKind::L2).then(|| {
            let value = (self.head_dim as f64).sqrt();
            Initializer::Constant { value }.init([self.n_heads], device)
        });
        QkNorm {
            q_norm: side(),
            k_norm: side(),
            temperature,
            eps: self.eps,
        }
    }
}

impl QkNorm {
    /// Normalised queries.
    ///
    /// # Shapes
    /// - input and output: `[B, H, T, D]`
    pub fn queries(&self, q: Tensor<4>) -> Tensor<4> {
        let q = self.normalize(self.q_norm.as_ref(), q);
        match &self.temperature {
            Some(temperature) => q * along_channels(temperature.val()),
            None => q,
        }
    }

    /// Normalised keys.
    ///
    /// # Shapes
    /// - input and output: `[B, Hkv, T, D]`
    pub fn keys(&self, k: Tensor<4>) -> Tensor<4> {
        self.normalize(self.k_norm.as_ref(), k)
    }

    /// What the scores `q · k` are multiplied by: 1 where the temperature does it.
    #[must_use]
    pub fn scale(&self, head_dim: usize) -> f64 {
        match self.temperature {
            Some(_) => 1.0,
            None => 1.0 / (head_dim as f64).sqrt(),
        }
    }

    fn normalize(&self, norm: Option<&HeadNorm>, x: Tensor<4>) -> Tensor<4> {
        match norm {
            Some(HeadNorm::Rms(norm)) => norm.forward(x),
            Some(HeadNorm::Layer(norm)) => norm.forward(x),
            // Squares leave the range of f16, above and below.
            None => in_f32(x, |x| {
                // Clamped before the root: the root of 0 has no derivative.
                let square = x.clone().square().sum_dim(3).clamp_min(self.eps * self.eps);
                x / square.sqrt()
            }),
        }
    }
}
