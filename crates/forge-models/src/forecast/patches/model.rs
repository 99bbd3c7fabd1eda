//! Patches, a backbone and a head as a forecaster.

use burn::module::Module;
use forge_nn::norm::RevIn;
use forge_nn::ops::Axes;
use forge_nn::{Forward, Linear, Maps, Network, Want};

use super::PatchHead;
use super::head::PatchOutput;
use crate::forecast::outputs::{WindowScale, scaled_back};
use crate::forecast::patching::Patching;
use crate::forecast::{ForecastCapabilities, ForecastModel, SeriesInput, SeriesSpec};
use crate::tabular::Backbone;

/// Patches of each variable become tokens, the backbone mixes them, the head reads them. One variable
/// at a time: they share all weights and do not see each other.
///
/// The form of PatchTST (Nie et al., ICLR 2023) around any backbone; positions are the backbone's own.
#[derive(Module, Debug)]
pub struct PatchModel<B: Backbone> {
    pub(super) revin: Option<RevIn>,
    /// A patch to a token.
    pub(super) embedding: Linear,
    /// Tokens to tokens.
    pub backbone: B,
    pub(super) output: PatchOutput,
    #[module(skip)]
    pub(super) head: PatchHead,
    #[module(skip)]
    pub(super) patching: Patching,
    #[module(skip)]
    pub(super) windows: SeriesSpec,
    #[module(skip)]
    pub(super) name: &'static str,
}

impl<B: Backbone> PatchModel<B> {
    /// What such a model supports.
    pub const CAPABILITIES: ForecastCapabilities = ForecastCapabilities {
        several_targets: true,
        several_outputs: true,
        own_level: true,
        own_scale: true,
        attention_maps: B::ATTENTION_MAPS,
        batch_statistics: B::BATCH_STATISTICS,
        ..ForecastCapabilities::NONE
    };
}

impl<B: Backbone> Network for PatchModel<B> {
    type Input = SeriesInput;
    type Spec = SeriesSpec;

    fn name(&self) -> &'static str {
        self.name
    }

    fn spec(&self) -> SeriesSpec {
        self.windows.clone()
    }

    /// Attention maps are the backbone's, `[B·N, …]`: each variable of each window by itself, window
    /// by window.
    fn run(&self, input: SeriesInput, want: Want) -> Forward {
        let past = input.only_past(self.name, &self.windows, Self::CAPABILITIES);
        let (past, scale) = WindowScale::taken(self.revin.as_ref(), past);
        let [batch, _, variables] = past.dims();
        let patches = self.patching.cut(past.swapped(1, 2));
        let (tokens, read) = (self.embedding.forward(patches), self.head.read());
        let (tokens, attention) = match want.attention {
            true => self.backbone.read_with_maps(tokens, None, read),
            false => (self.backbone.read(tokens, None, read), vec![]),
        };
        let y = self.output.forward(tokens);
        let outputs = y.dims()[1];
        let y = y.reshape([batch, variables, outputs]);
        Forward {
            maps: Maps {
                attention,
                ..Maps::default()
            },
            ..scaled_back(y, scale, &self.windows)
        }
    }
}

impl<B: Backbone> ForecastModel for PatchModel<B> {
    fn capabilities(&self) -> ForecastCapabilities {
        Self::CAPABILITIES
    }
}
