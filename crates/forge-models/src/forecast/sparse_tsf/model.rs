//! SparseTSF.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use forge_nn::ops::{Axes, depthwise_conv1d};
use forge_nn::{Forward, Linear, Network, Want};

use super::SparseTsfConfig;
use crate::forecast::outputs::{by_variable, centred, predictions};
use crate::forecast::{
    ForecastCapabilities, ForecastConfig, ForecastModel, SeriesInput, SeriesSpec,
};

/// Each place of a period by itself, from period to period: one map of the past periods to those to
/// come, shared by all places and variables.
///
/// Lin et al., ICML 2024, "SparseTSF: Modeling Long-term Time Series Forecasting with 1k Parameters"
/// (arXiv 2405.00946), section 3.
#[derive(Module, Debug)]
pub struct SparseTsf {
    /// What is added to each step from those around it, `[1, 1, 1 + 2·(period / 2)]`.
    pub(super) conv: Param<Tensor<3>>,
    pub(super) hidden: Option<Linear>,
    /// Of the periods, or of what the hidden layer makes of them.
    pub(super) head: Linear,
    #[module(skip)]
    pub(super) period: usize,
    #[module(skip)]
    pub(super) windows: SeriesSpec,
}

impl Network for SparseTsf {
    type Input = SeriesInput;
    type Spec = SeriesSpec;

    fn name(&self) -> &'static str {
        SparseTsfConfig::NAME
    }

    fn spec(&self) -> SeriesSpec {
        self.windows.clone()
    }

    fn run(&self, input: SeriesInput, _: Want) -> Forward {
        let past = input.only_past(self.name(), &self.windows, self.capabilities());
        let [batch, lookback, variables] = past.dims();
        let (period, horizon) = (self.period, self.windows.horizon);
        let outputs = self.windows.n_outputs;
        let (series, level) = centred(past);
        let series = series.swapped(1, 2);
        let series = series.reshape([batch * variables, 1, lookback]);
        let series = depthwise_conv1d(series.clone(), self.conv.val()) + series;

        let past_periods = lookback / period;
        // Whole periods up to the last step.
        let whole = series.narrow(2, lookback - past_periods * period, past_periods * period);
        let places = whole.reshape([batch * variables, past_periods, period]);
        let places = places.swapped(1, 2);
        let places = match &self.hidden {
            Some(hidden) => relu(hidden.forward(places)),
            None => places,
        };
        let periods = horizon.div_ceil(period);
        let y = (self.head.forward(places))
            .reshape([batch * variables, period, periods, outputs])
            .swapped(1, 2)
            .reshape([batch * variables, periods * period, outputs])
            .narrow(1, 0, horizon)
            .reshape([batch, variables, horizon * outputs]);
        predictions(by_variable(y, &self.windows) + level, &self.windows)
    }
}

impl ForecastModel for SparseTsf {
    fn capabilities(&self) -> ForecastCapabilities {
        SparseTsfConfig::CAPABILITIES
    }
}
