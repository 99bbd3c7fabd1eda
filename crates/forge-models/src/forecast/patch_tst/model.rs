//! PatchTST.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use forge_nn::norm::RevIn;
use forge_nn::ops::Axes;
use forge_nn::regularisation::Dropout;
use forge_nn::{Forward, Linear, Maps, Network, Want};

use super::attention::{Attended, Wanted};
use super::{PatchTstConfig, PatchTstLayer};
use crate::forecast::outputs::{WindowScale, scaled_back};
use crate::forecast::patching::Patching;
use crate::forecast::{
    ForecastCapabilities, ForecastConfig, ForecastModel, SeriesInput, SeriesSpec, StepsLinear,
};

/// Patches of each variable as tokens of a transformer that sees one variable at a time.
///
/// Nie et al., ICLR 2023, "A Time Series is Worth 64 Words" (arXiv 2211.14730), section 3.1.
#[derive(Module, Debug)]
pub struct PatchTst {
    pub(super) revin: Option<RevIn>,
    pub(super) embedding: Linear,
    /// `[P, D]`.
    pub(super) positions: Param<Tensor<2>>,
    pub(super) dropout: Dropout,
    pub(super) layers: Vec<PatchTstLayer>,
    /// Of all features of all patches, feature by feature.
    pub(super) head: StepsLinear,
    pub(super) head_dropout: Dropout,
    /// Whether scores of a layer go to the next one.
    pub(super) hands_on: bool,
    #[module(skip)]
    pub(super) patching: Patching,
    #[module(skip)]
    pub(super) windows: SeriesSpec,
}

impl PatchTst {
    /// # Shapes
    /// - x: `[B, N, L]`
    /// - output: `[B·N, P, D]`
    fn embed(&self, x: Tensor<3>) -> Tensor<3> {
        let tokens = self.embedding.forward(self.patching.cut(x));
        self.dropout
            .forward(tokens + self.positions.val().unsqueeze())
    }

    /// The encoder, and the attention weights `[B·N, H, P, P]` of each layer where they are wanted.
    fn encode(&self, tokens: Tensor<3>, maps: bool) -> (Tensor<3>, Vec<Tensor<4>>) {
        let (mut x, mut before, mut all) = (tokens, None, vec![]);
        for (layer, after) in self.layers.iter().zip((0..self.layers.len()).rev()) {
            let wanted = Wanted {
                scores: self.hands_on && after > 0,
                map: maps,
            };
            let Attended { y, scores, map } = layer.forward(x, before, wanted);
            (x, before) = (y, scores);
            all.extend(map);
        }
        (x, all)
    }
}

impl Network for PatchTst {
    type Input = SeriesInput;
    type Spec = SeriesSpec;

    fn name(&self) -> &'static str {
        PatchTstConfig::NAME
    }

    fn spec(&self) -> SeriesSpec {
        self.windows.clone()
    }

    /// Attention maps are `[B·N, H, P, P]`: each variable of each window by itself, window by
    /// window.
    fn run(&self, input: SeriesInput, want: Want) -> Forward {
        let past = input.only_past(self.name(), &self.windows, self.capabilities());
        let (past, scale) = WindowScale::taken(self.revin.as_ref(), past);
        let [batch, _, variables] = past.dims();
        let tokens = self.embed(past.swapped(1, 2));
        let (y, attention) = self.encode(tokens, want.attention);
        let [_, patches, width] = y.dims();
        let y = y.swapped(1, 2);
        let y = y.reshape([batch, variables, width * patches]);
        let y = self.head_dropout.forward(self.head.forward(y));
        Forward {
            maps: Maps {
                attention,
                ..Maps::default()
            },
            ..scaled_back(y, scale, &self.windows)
        }
    }
}

impl ForecastModel for PatchTst {
    fn capabilities(&self) -> ForecastCapabilities {
        PatchTstConfig::CAPABILITIES
    }
}
