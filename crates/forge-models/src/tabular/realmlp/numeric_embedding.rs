//! Periodic embeddings of numbers.

use std::f64::consts::{PI, TAU};

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use forge_nn::ops::{Activation, Axes, activated, cos_sin, matmul};

use super::RealMlpConfig;
use super::options::NumEmbedding;

/// One small network per number: with the frequencies `w` and phases `b`,
///
/// ```text
/// pbld:   cat(cos(2π w x + b) W + c, x)
/// pblrd:  cat(relu(cos(2π w x + b) W + c), x)
/// plr:    relu(cat(cos(2π w x), sin(2π w x)) W + c)
/// ```
///
/// The embeddings of all numbers come first, one after the other, then (not for `plr`) the numbers.
///
/// Gorishniy et al. 2022 (arXiv 2203.05556) for `plr`; Holzmüller et al. 2024 (arXiv 2407.04491),
/// section 3, for the others.
#[derive(Module, Debug)]
pub struct RealMlpNumericEmbedding {
    /// `w`, `[F, 1, H]`; for `plr` `[F, 1, H/2]`.
    pub weight_1: Param<Tensor<3>>,
    /// `b`, `[F, 1, H]`; not for `plr`.
    pub bias_1: Option<Param<Tensor<3>>>,
    /// `W`, `[F, H, D]`.
    pub weight_2: Param<Tensor<3>>,
    /// `c`, `[F, 1, D]`.
    pub bias_2: Param<Tensor<3>>,
    relu: bool,
}

impl RealMlpNumericEmbedding {
    /// None where numbers are not embedded, or there are none.
    pub(super) fn new(config: &RealMlpConfig, device: &Device) -> Option<Self> {
        let [features, frequencies, hidden, width] = config.numeric_embedding_sizes()?;
        let uniform = |size: f64| Initializer::Uniform {
            min: -size,
            max: size,
        };
        let frequency = Initializer::Normal {
            mean: 0.0,
            std: config.plr_sigma,
        };
        let second = uniform((hidden as f64).sqrt().recip());
        let phases = config.num_emb_type.appends_the_number();
        Some(Self {
            weight_1: frequency.init([features, 1, frequencies], device),
            bias_1: phases.then(|| uniform(PI).init([features, 1, frequencies], device)),
            weight_2: second.init([features, hidden, width], device),
            bias_2: second.init([features, 1, width], device),
            relu: config.num_emb_type != NumEmbedding::Pbld,
        })
    }

    /// # Shapes
    /// - x: `[B, F]`
    /// - output: `[B, F (D + 1)]`; for `plr` `[B, F D]`
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let [rows, features] = x.dims();
        let column = x.clone().transposed().reshape([features, rows, 1]);
        let angle = column * (self.weight_1.val() * TAU);
        let waves = match &self.bias_1 {
            Some(phase) => activated(angle + phase.val(), Activation::Cos),
            None => cos_sin(angle),
        };
        let y = matmul(waves, self.weight_2.val()) + self.bias_2.val();
        let y = if self.relu { relu(y) } else { y };
        let [_, _, width] = y.dims();
        let y = y.swapped(0, 1).reshape([rows, features * width]);
        match self.bias_1 {
            Some(_) => Tensor::cat(vec![y, x], 1),
            None => y,
        }
    }
}
