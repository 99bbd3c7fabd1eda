//! TiDE.

use burn::module::Module;
use burn::tensor::Tensor;
use forge_nn::{Forward, Linear, Network, Want};

use super::TideConfig;
use super::residual_block::ResidualBlock;
use crate::forecast::outputs::ordered;
use crate::forecast::{
    ForecastCapabilities, ForecastConfig, ForecastModel, SeriesInput, SeriesSpec,
};

/// Perceptrons all through: covariates are projected step by step, the window is encoded and decoded as
/// one vector, and each step to forecast sees its own covariates; a linear map of the past is added.
///
/// Das et al., TMLR 2023, "Long-term Forecasting with TiDE: Time-series Dense Encoder" (arXiv
/// 2304.08424).
#[derive(Module, Debug)]
pub struct Tide {
    pub(super) past_projection: Option<ResidualBlock>,
    pub(super) known_projection: Option<ResidualBlock>,
    pub(super) encoder: Vec<ResidualBlock>,
    pub(super) decoder: Vec<ResidualBlock>,
    pub(super) temporal_decoder: ResidualBlock,
    pub(super) global_skip: Linear,
    #[module(skip)]
    pub(super) windows: SeriesSpec,
}

impl Network for Tide {
    type Input = SeriesInput;
    type Spec = SeriesSpec;

    fn name(&self) -> &'static str {
        TideConfig::NAME
    }

    fn spec(&self) -> SeriesSpec {
        self.windows.clone()
    }

    fn run(&self, input: SeriesInput, _: Want) -> Forward {
        input.assert_fits(self.name(), &self.windows, self.capabilities());
        let SeriesSpec {
            lookback,
            horizon,
            n_outputs,
            ..
        } = self.windows;
        let past = input.past.squeeze_dim::<2>(2);
        let batch = past.dims()[0];
        let mut seen = vec![past.clone()];
        if let (Some(projection), Some(x)) = (&self.past_projection, input.past_covariates) {
            seen.push(projection.forward(x).flatten(1, 2));
        }
        let known = match (&self.known_projection, input.known) {
            (Some(projection), Some(x)) => Some(projection.forward(x)),
            _ => None,
        };
        seen.extend(known.clone().map(|known| known.flatten::<2>(1, 2)));
        seen.extend(input.fixed);
        let blocks = self.encoder.iter().chain(&self.decoder);
        let decoded = blocks.fold(Tensor::cat(seen, 1), |x, block| block.forward(x));
        let width = decoded.dims()[1] / horizon;
        let mut steps = vec![decoded.reshape([batch, horizon, width])];
        steps.extend(known.map(|known| known.narrow(1, lookback, horizon)));
        let y = self.temporal_decoder.forward(Tensor::cat(steps, 2));
        let skip = self.global_skip.forward(past);
        let y = y + skip.reshape([batch, horizon, n_outputs]);
        ordered(y, &self.windows).flatten::<2>(1, 2).into()
    }
}

impl ForecastModel for Tide {
    fn capabilities(&self) -> ForecastCapabilities {
        TideConfig::CAPABILITIES
    }
}
