//! FITS.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use forge_nn::ops::Axes;
use forge_nn::{Forward, Network, Want};

use super::fourier::{to_frequencies, to_last_steps};
use super::{ComplexLinear, FitsConfig};
use crate::forecast::outputs::{WindowScale, centred, scaled_back};
use crate::forecast::steps_linear::by_map;
use crate::forecast::{
    ForecastCapabilities, ForecastConfig, ForecastModel, SeriesInput, SeriesSpec,
};

/// Added to the variance of a window inside the root.
const EPS: f64 = 1e-5;
/// What a level is times its parameter: at the rate of the map it would take thousands of steps to where a
/// narrow distribution is.
const LEVEL: f64 = 20.0;

/// The low frequencies of a window, stretched to those of window and forecast by one complex linear
/// map.
///
/// Xu et al., ICLR 2024, "FITS: Modeling Time Series with 10k Parameters" (arXiv 2307.03756), section
/// 3.
#[derive(Module, Debug)]
pub struct Fits {
    /// One, or as many as there are variables.
    pub(super) maps: Vec<ComplexLinear>,
    /// Of each step and output, `[H·W]`, from zeros, where there are several outputs: steps between quantiles
    /// are no waves.
    pub(super) levels: Option<Param<Tensor<1>>>,
    #[module(skip)]
    pub(super) cut_freq: usize,
    #[module(skip)]
    pub(super) frequencies: usize,
    #[module(skip)]
    pub(super) windows: SeriesSpec,
}

impl Fits {
    /// Level and scale taken out, part of the gradient as in the authors' code; the unbiased
    /// variance.
    fn normalised(past: Tensor<3>) -> (Tensor<3>, WindowScale) {
        let steps = past.dims()[1];
        let (centred, offset) = centred(past);
        let variance = centred.clone().square().sum_dim(1) / (steps - 1) as f64;
        let factor = (variance + EPS).sqrt();
        let scale = WindowScale {
            factor: factor.clone(),
            offset,
        };
        (centred / factor, scale)
    }
}

impl Network for Fits {
    type Input = SeriesInput;
    type Spec = SeriesSpec;

    fn name(&self) -> &'static str {
        FitsConfig::NAME
    }

    fn spec(&self) -> SeriesSpec {
        self.windows.clone()
    }

    fn run(&self, input: SeriesInput, _: Want) -> Forward {
        let past = input.only_past(self.name(), &self.windows, self.capabilities());
        let SeriesSpec {
            lookback,
            horizon,
            n_outputs,
            ..
        } = self.windows;
        let (past, scale) = Self::normalised(past);
        let [batch, _, variables] = past.dims();
        let (device, dtype) = (past.device(), past.dtype());
        let analysis = to_frequencies(lookback, self.cut_freq, (&device, dtype));
        let spectrum = past.swapped(1, 2).matmul(analysis.unsqueeze());
        let stretched = by_map(&self.maps, spectrum, ComplexLinear::forward);
        // The real parts of all outputs stand before their imaginary ones.
        let by_output = stretched
            .reshape([batch * variables, 2, n_outputs, self.frequencies])
            .swapped(1, 2)
            .reshape([batch, variables * n_outputs, 2 * self.frequencies]);
        let n = lookback + horizon;
        // The energy of a longer series.
        let ratio = n as f64 / lookback as f64;
        let synthesis = to_last_steps(self.frequencies, n, horizon, ratio, (&device, dtype));
        let y = by_output.matmul(synthesis.unsqueeze());
        let y = y
            .reshape([batch, variables, n_outputs, horizon])
            .swapped(2, 3)
            .reshape([batch, variables, horizon * n_outputs]);
        let y = match &self.levels {
            Some(levels) => y + (levels.val() * LEVEL).unsqueeze(),
            None => y,
        };
        scaled_back(y, Some(scale), &self.windows)
    }
}

impl ForecastModel for Fits {
    fn capabilities(&self) -> ForecastCapabilities {
        FitsConfig::CAPABILITIES
    }
}
