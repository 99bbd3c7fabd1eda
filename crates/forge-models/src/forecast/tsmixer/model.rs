//! TSMixer.

use burn::module::Module;
use forge_nn::norm::RevIn;
use forge_nn::ops::Axes;
use forge_nn::{Forward, Linear, Network, Want};

use super::{TsMixerBlock, TsMixerConfig};
use crate::forecast::outputs::{WindowScale, scaled_back};
use crate::forecast::{
    ForecastCapabilities, ForecastConfig, ForecastModel, SeriesInput, SeriesSpec,
};

/// Linear maps over time and over variables in turn.
///
/// Chen et al., TMLR 2023, "TSMixer: An All-MLP Architecture for Time Series Forecasting" (arXiv
/// 2303.06053), section 3.2.
#[derive(Module, Debug)]
pub struct TsMixer {
    pub(super) revin: Option<RevIn>,
    pub(super) blocks: Vec<TsMixerBlock>,
    /// Over time, shared by the variables.
    pub(super) head: Linear,
    #[module(skip)]
    pub(super) windows: SeriesSpec,
}

impl Network for TsMixer {
    type Input = SeriesInput;
    type Spec = SeriesSpec;

    fn name(&self) -> &'static str {
        TsMixerConfig::NAME
    }

    fn spec(&self) -> SeriesSpec {
        self.windows.clone()
    }

    fn run(&self, input: SeriesInput, _: Want) -> Forward {
        let past = input.only_past(self.name(), &self.windows, self.capabilities());
        let (x, scale) = WindowScale::taken(self.revin.as_ref(), past);
        let x = (self.blocks.iter()).fold(x, |x, block| block.forward(x));
        let y = self.head.forward(x.swapped(1, 2));
        scaled_back(y, scale, &self.windows)
    }
}

impl ForecastModel for TsMixer {
    fn capabilities(&self) -> ForecastCapabilities {
        TsMixerConfig::CAPABILITIES
    }
}
