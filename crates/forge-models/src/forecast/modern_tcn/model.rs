//! ModernTCN as a forecaster.

use burn::module::Module;
use forge_nn::norm::RevIn;
use forge_nn::{Forward, Linear, Network, Want};

use super::ModernTcnForecasterConfig;
use crate::ModernTcnSeries;
use crate::forecast::outputs::{WindowScale, scaled_back};
use crate::forecast::{
    ForecastCapabilities, ForecastConfig, ForecastModel, SeriesInput, SeriesSpec,
};

/// The encoder of [`ModernTcnSeries`], and one linear map of all features of all patches of a
/// variable.
///
/// Luo & Wang, ICLR 2024, "ModernTCN", section 3.
#[derive(Module, Debug)]
pub struct ModernTcnForecaster {
    pub(super) revin: Option<RevIn>,
    pub(super) encoder: ModernTcnSeries,
    pub(super) head: Linear,
    #[module(skip)]
    pub(super) windows: SeriesSpec,
}

impl ModernTcnForecaster {
    /// The model with the large and the small kernel of each block made one, for evaluation.
    #[must_use]
    pub fn merged(self) -> Self {
        Self {
            encoder: self.encoder.merged(),
            ..self
        }
    }
}

impl Network for ModernTcnForecaster {
    type Input = SeriesInput;
    type Spec = SeriesSpec;

    fn name(&self) -> &'static str {
        ModernTcnForecasterConfig::NAME
    }

    fn spec(&self) -> SeriesSpec {
        self.windows.clone()
    }

    fn run(&self, input: SeriesInput, _: Want) -> Forward {
        let past = input.only_past(self.name(), &self.windows, self.capabilities());
        let (past, scale) = WindowScale::taken(self.revin.as_ref(), past);
        let y = self.encoder.forward(past);
        let [batch, variables, width, patches] = y.dims();
        let y = y.reshape([batch, variables, width * patches]);
        scaled_back(self.head.forward(y), scale, &self.windows)
    }
}

impl ForecastModel for ModernTcnForecaster {
    fn capabilities(&self) -> ForecastCapabilities {
        ModernTcnForecasterConfig::CAPABILITIES
    }
}
