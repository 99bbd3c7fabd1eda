//! The temporal fusion transformer.

use burn::module::Module;
use burn::tensor::{Tensor, TensorData};
use forge_nn::{Forward, Maps, Network, VariableWeights, Want};

use super::TftConfig;
use super::decoder::TemporalDecoder;
use super::encoder::TemporalEncoder;
use super::static_encoder::StaticEncoder;
use crate::forecast::outputs::ordered;
use crate::forecast::{
    ForecastCapabilities, ForecastConfig, ForecastModel, SeriesInput, SeriesSpec,
};

/// The temporal fusion transformer: which variables count is chosen at each step, recurrent layers
/// see what is near, attention what is far, and gates shut out what is not needed.
///
/// Lim, Arık, Loeff and Pfister, International Journal of Forecasting 2021, "Temporal Fusion
/// Transformers for interpretable multi-horizon time series forecasting" (arXiv 1912.09363).
#[derive(Module, Debug)]
pub struct Tft {
    pub(super) statics: Option<StaticEncoder>,
    pub(super) encoder: TemporalEncoder,
    pub(super) decoder: TemporalDecoder,
    #[module(skip)]
    pub(super) windows: SeriesSpec,
}

impl Network for Tft {
    type Input = SeriesInput;
    type Spec = SeriesSpec;

    fn name(&self) -> &'static str {
        TftConfig::NAME
    }

    fn spec(&self) -> SeriesSpec {
        self.windows.clone()
    }

    fn run(&self, input: SeriesInput, want: Want) -> Forward {
        input.assert_fits(self.name(), &self.windows, self.capabilities());
        let contexts = self.statics.as_ref().map(|statics| statics.forward(&input));
        let known = match input.known {
            Some(known) => known,
            None => relative_time(&input.past, self.windows.horizon),
        };
        let encoded =
            self.encoder
                .forward(input.past, input.past_covariates, known, contexts.as_ref());
        let enrichment = contexts
            .as_ref()
            .map(|contexts| contexts.enrichment.clone());
        let (y, attention) = self
            .decoder
            .forward(encoded.features, enrichment, want.attention);
        let named = |name, weights| VariableWeights { name, weights };
        let mut variables = vec![];
        if want.features {
            variables.push(named("past", encoded.past_weights));
            variables.push(named("future", encoded.future_weights));
            variables.extend(contexts.map(|contexts| named("static", contexts.weights)));
        }
        Forward {
            maps: Maps {
                attention: attention.into_iter().collect(),
                variables,
                ..Maps::default()
            },
            ..self.outputs(y).into()
        }
    }
}

impl Tft {
    /// `[B, H, N·W]` as predictions `[B, H·N·W]`.
    fn outputs(&self, y: Tensor<3>) -> Tensor<2> {
        let SeriesSpec {
            horizon,
            n_targets,
            n_outputs,
            ..
        } = self.windows;
        let batch = y.dims()[0];
        let y = ordered(
            y.reshape([batch, horizon, n_targets, n_outputs]),
            &self.windows,
        );
        y.reshape([batch, horizon * n_targets * n_outputs])
    }
}

/// How far each step lies from the last one seen, in look-backs: 0 there, above 0 ahead.
///
/// # Shapes
/// - output: `[B, L + H, 1]`
fn relative_time(past: &Tensor<3>, horizon: usize) -> Tensor<3> {
    let [batch, lookback, _] = past.dims();
    let steps = lookback + horizon;
    let place = |t: usize| (t as f64 + 1.0 - lookback as f64) / lookback as f64;
    let data = TensorData::new((0..steps).map(place).collect::<Vec<f64>>(), [1, steps, 1]);
    Tensor::<3>::from_data(data, (&past.device(), past.dtype())).expand([batch, steps, 1])
}

impl ForecastModel for Tft {
    fn capabilities(&self) -> ForecastCapabilities {
        TftConfig::CAPABILITIES
    }
}
