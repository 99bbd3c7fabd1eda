//! N-HiTS.

use burn::module::Module;
use burn::tensor::Tensor;
use forge_nn::ops::{self, Axes};
use forge_nn::{Forward, Network, Want};

use super::NHitsConfig;
use super::block::{Besides, NHitsBlock};
use crate::forecast::outputs::ordered;
use crate::forecast::{
    ForecastCapabilities, ForecastConfig, ForecastModel, SeriesInput, SeriesSpec,
};

/// Blocks of perceptrons, each at its own rate: one pools the window and interpolates its forecast,
/// the next sees what the one before has not explained; the forecasts are added to the last value.
///
/// Challu et al., AAAI 2023, "N-HiTS: Neural Hierarchical Interpolation for Time Series Forecasting"
/// (arXiv 2201.12886).
#[derive(Module, Debug)]
pub struct NHits {
    pub(super) blocks: Vec<NHitsBlock>,
    pub(super) keep_padding: bool,
    #[module(skip)]
    pub(super) windows: SeriesSpec,
}

impl Network for NHits {
    type Input = SeriesInput;
    type Spec = SeriesSpec;

    fn name(&self) -> &'static str {
        NHitsConfig::NAME
    }

    fn spec(&self) -> SeriesSpec {
        self.windows.clone()
    }

    fn run(&self, input: SeriesInput, _: Want) -> Forward {
        let (level, parts) = self.parts(input);
        let said = parts.into_iter().reduce(|all, part| all + part);
        let y = match said {
            Some(said) => ordered(said.swapped(1, 2), &self.windows) + level,
            None => level,
        };
        y.flatten::<2>(1, 2).into()
    }
}

impl NHits {
    /// What the forecast is made of: the last value, then what each block adds.
    ///
    /// Their sum is the forecast of a model whose outputs need not rise.
    ///
    /// # Shapes
    /// - output: `[B, blocks + 1, H, W]`
    ///
    /// # Panics
    /// If the input does not fit.
    #[must_use]
    pub fn decomposition(&self, input: SeriesInput) -> Tensor<4> {
        let (level, parts) = self.parts(input);
        let batch = level.dims()[0];
        let (horizon, outputs) = (self.windows.horizon, self.windows.n_outputs);
        let level = level.expand([batch, horizon, outputs]);
        let parts = parts.into_iter().map(|part| part.swapped(1, 2));
        let all: Vec<Tensor<3>> = std::iter::once(level).chain(parts).collect();
        Tensor::stack(all, 1)
    }

    /// The last value `[B, 1, 1]`, and what each block adds, `[B, W, H]`.
    fn parts(&self, input: SeriesInput) -> (Tensor<3>, Vec<Tensor<3>>) {
        input.assert_fits(self.name(), &self.windows, self.capabilities());
        let valid = input.valid.map(|valid| valid.unsqueeze_dim::<3>(2));
        let seen = |x: Tensor<3>| match (&valid, self.keep_padding) {
            (Some(valid), false) => {
                let absent = valid.clone().bool_not().expand(x.dims());
                x.mask_fill(absent, 0.0)
            }
            _ => x,
        };
        let past = seen(input.past);
        let covariates = input.past_covariates.map(seen);
        let lookback = self.windows.lookback;
        let level = past.clone().narrow(1, lookback - 1, 1);
        let backwards = |x: Tensor<3>| x.flip([1]).squeeze_dim::<2>(2);
        let counted = valid
            .as_ref()
            .map(|valid| backwards(valid.clone().float().cast(past.dtype())));
        let mut residual = backwards(past);
        let besides = Besides {
            past: covariates,
            known: input.known.map(|known| {
                let ahead = known.dims()[1] - lookback;
                let [before, ahead] = ops::parts(known, 1, [lookback, ahead]);
                Tensor::cat(vec![seen(before), ahead], 1)
            }),
            fixed: input.fixed,
        };
        let mut parts = vec![];
        for block in &self.blocks {
            let (explained, part) = block.forward(residual.clone(), &besides);
            residual = residual - explained;
            if let Some(counted) = &counted {
                residual = residual * counted.clone();
            }
            parts.push(part);
        }
        (level, parts)
    }
}

impl ForecastModel for NHits {
    fn capabilities(&self) -> ForecastCapabilities {
        NHitsConfig::CAPABILITIES
    }
}
