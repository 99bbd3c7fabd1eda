//! DLinear.

use burn::module::Module;
use forge_nn::ops::Axes;
use forge_nn::{Forward, Network, Want};

use super::{DLinearConfig, moving_average};
use crate::forecast::outputs::{by_variable, predictions};
use crate::forecast::{
    ForecastCapabilities, ForecastConfig, ForecastModel, SeriesInput, SeriesSpec, StepsLinear,
};

/// `y = W_s (x - trend) + W_t trend`, the trend a moving average.
///
/// Zeng et al., AAAI 2023, "Are Transformers Effective for Time Series Forecasting?" (arXiv
/// 2205.13504), section 4.
#[derive(Module, Debug)]
pub struct DLinear {
    pub(super) seasonal: StepsLinear,
    pub(super) trend: StepsLinear,
    pub(super) kernel_size: usize,
    #[module(skip)]
    pub(super) windows: SeriesSpec,
}

impl Network for DLinear {
    type Input = SeriesInput;
    type Spec = SeriesSpec;

    fn name(&self) -> &'static str {
        DLinearConfig::NAME
    }

    fn spec(&self) -> SeriesSpec {
        self.windows.clone()
    }

    fn run(&self, input: SeriesInput, _: Want) -> Forward {
        let x = input.only_past(self.name(), &self.windows, self.capabilities());
        let x = x.swapped(1, 2);
        let trend = moving_average(x.clone(), self.kernel_size);
        let seasonal = self.seasonal.forward(x - trend.clone());
        let y = seasonal + self.trend.forward(trend);
        predictions(by_variable(y, &self.windows), &self.windows)
    }
}

impl ForecastModel for DLinear {
    fn capabilities(&self) -> ForecastCapabilities {
        DLinearConfig::CAPABILITIES
    }
}
