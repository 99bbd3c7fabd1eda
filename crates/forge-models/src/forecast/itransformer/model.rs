//! iTransformer.

use burn::module::Module;
use burn::tensor::Tensor;
use forge_nn::norm::LayerNorm;
use forge_nn::ops::{Axes, stop_gradient};
use forge_nn::regularisation::Dropout;
use forge_nn::{Forward, Linear, Maps, Network, Want};

use super::{ITransformerConfig, ITransformerLayer};
use crate::forecast::outputs::{WindowScale, scaled_back};
use crate::forecast::{
    ForecastCapabilities, ForecastConfig, ForecastModel, SeriesInput, SeriesSpec,
};

/// Added to the variance of a window.
const EPS: f64 = 1e-5;

/// Variables as tokens: each is its whole window, and attention is between variables.
///
/// Liu et al., ICLR 2024, "iTransformer" (arXiv 2310.06625), section 3.
#[derive(Module, Debug)]
pub struct ITransformer {
    pub(super) embedding: Linear,
    pub(super) dropout: Dropout,
    pub(super) layers: Vec<ITransformerLayer>,
    pub(super) norm: LayerNorm,
    pub(super) head: Linear,
    pub(super) use_norm: bool,
    #[module(skip)]
    pub(super) windows: SeriesSpec,
}

/// The window without its level and scale. The mean is a constant for the gradient, the deviation is
/// not, as in the authors' code.
fn normalized(x: Tensor<3>) -> (Tensor<3>, WindowScale) {
    // The mean of differences to the first value: of a window of equal values it is exactly 0.
    let first = stop_gradient(x.clone().narrow(1, 0, 1));
    let shifted = x - first.clone();
    let shift = stop_gradient(shifted.clone().mean_dim(1));
    let centred = shifted - shift.clone();
    let variance = (centred.clone() - centred.clone().mean_dim(1)).square();
    let deviation = (variance.mean_dim(1) + EPS).sqrt();
    let scale = WindowScale {
        factor: deviation.clone(),
        offset: first + shift,
    };
    (centred / deviation, scale)
}

impl Network for ITransformer {
    type Input = SeriesInput;
    type Spec = SeriesSpec;

    fn name(&self) -> &'static str {
        ITransformerConfig::NAME
    }

    fn spec(&self) -> SeriesSpec {
        self.windows.clone()
    }

    /// Attention maps are `[B, H, N + P, N + P]`: the targets, then the covariates.
    fn run(&self, input: SeriesInput, want: Want) -> Forward {
        input.assert_fits(self.name(), &self.windows, self.capabilities());
        let (past, scale) = match self.use_norm {
            true => {
                let (past, scale) = normalized(input.past);
                (past, Some(scale))
            }
            false => (input.past, None),
        };
        let variables = match input.past_covariates {
            Some(covariates) => Tensor::cat(vec![past, covariates], 2),
            None => past,
        };
        let tokens = self.embedding.forward(variables.swapped(1, 2));
        let mut x = self.dropout.forward(tokens);
        let mut attention = vec![];
        for layer in &self.layers {
            if want.attention {
                let (y, map) = layer.forward_with_map(x);
                x = y;
                attention.push(map);
            } else {
                x = layer.forward(x);
            }
        }
        let targets = x.narrow(1, 0, self.windows.n_targets);
        let y = self.head.forward(self.norm.forward(targets));
        Forward {
            maps: Maps {
                attention,
                ..Maps::default()
            },
            ..scaled_back(y, scale, &self.windows)
        }
    }
}

impl ForecastModel for ITransformer {
    fn capabilities(&self) -> ForecastCapabilities {
        ITransformerConfig::CAPABILITIES
    }
}
