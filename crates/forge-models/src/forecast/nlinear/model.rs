//! NLinear.

use burn::module::Module;
use forge_nn::ops::{Axes, stop_gradient};
use forge_nn::{Forward, Network, Want};

use super::NLinearConfig;
use crate::forecast::outputs::{by_variable, predictions};
use crate::forecast::{
    ForecastCapabilities, ForecastConfig, ForecastModel, SeriesInput, SeriesSpec, StepsLinear,
};

/// `y = W (x - x_T) + x_T`, `x_T` the last value of the window.
///
/// Zeng et al., AAAI 2023, "Are Transformers Effective for Time Series Forecasting?" (arXiv
/// 2205.13504), section 4. The last value is a constant
/// for the gradient, as in the authors' code.
#[derive(Module, Debug)]
pub struct NLinear {
    pub(super) linear: StepsLinear,
    #[module(skip)]
    pub(super) windows: SeriesSpec,
}

impl Network for NLinear {
    type Input = SeriesInput;
    type Spec = SeriesSpec;

    fn name(&self) -> &'static str {
        NLinearConfig::NAME
    }

    fn spec(&self) -> SeriesSpec {
        self.windows.clone()
    }

    fn run(&self, input: SeriesInput, _: Want) -> Forward {
        let x = input.only_past(self.name(), &self.windows, self.capabilities());
        let last = stop_gradient(x.clone().narrow(1, self.windows.lookback - 1, 1));
        let y = self.linear.forward((x - last.clone()).swapped(1, 2));
        predictions(by_variable(y, &self.windows) + last, &self.windows)
    }
}

impl ForecastModel for NLinear {
    fn capabilities(&self) -> ForecastCapabilities {
        NLinearConfig::CAPABILITIES
    }
}
