//! TimeMixer.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::module::conv1d;
use burn::tensor::ops::ConvOptions;
use forge_nn::norm::RevIn;
use forge_nn::ops::Axes;
use forge_nn::regularisation::Dropout;
use forge_nn::{Forward, Linear, Network, Want};

use super::scales::Scales;
use super::{PastDecomposableMixing, TimeMixerConfig};
use crate::forecast::dlinear::moving_average;
use crate::forecast::outputs::{WindowScale, scaled_back};
use crate::forecast::{
    ForecastCapabilities, ForecastConfig, ForecastModel, SeriesInput, SeriesSpec,
};

/// A window at several scales, mixed by season and trend, each scale with a forecast of its own.
///
/// Wang et al., ICLR 2024, "TimeMixer: Decomposable Multiscale Mixing for Time Series Forecasting"
/// (arXiv 2405.14616), section 3.
#[derive(Module, Debug)]
pub struct TimeMixer {
    /// One for each scale, or none.
    pub(super) norms: Vec<RevIn>,
    /// A convolution over three steps in a circle, `[D, C, 3]`.
    pub(super) embedding: Param<Tensor<3>>,
    pub(super) covariates: Option<Linear>,
    pub(super) dropout: Dropout,
    pub(super) blocks: Vec<PastDecomposableMixing>,
    /// Over time, one for each scale.
    pub(super) heads: Vec<Linear>,
    /// From a step's width to its variables' outputs.
    pub(super) projection: Linear,
    /// What the trend of a scale adds, where variables make a step together.
    pub(super) rests: Vec<Rest>,
    #[module(skip)]
    pub(super) scales: Scales,
    pub(super) kernel: usize,
    #[module(skip)]
    pub(super) windows: SeriesSpec,
}

/// Two linear maps over time.
#[derive(Module, Debug)]
pub(super) struct Rest {
    pub(super) first: Linear,
    pub(super) second: Linear,
}

impl TimeMixer {
    fn independent(&self) -> bool {
        self.rests.is_empty()
    }

    /// The series at each scale without its level and scale, and the finest one's to be given back.
    fn normalized(&self, past: Tensor<3>) -> (Vec<Tensor<3>>, Option<WindowScale>) {
        let mut finest = None;
        let scales = self.scales.of_targets(past).into_iter().enumerate();
        let scales = scales.map(|(k, x)| {
            let (x, scale) = WindowScale::taken(self.norms.get(k), x);
            if k == 0 {
                finest = scale;
            }
            x
        });
        (scales.collect(), finest)
    }

    /// # Shapes
    /// - x: `[B', L', C]`, covariates: `[B', L', P]`
    /// - output: `[B', L', D]`
    fn embed(&self, x: Tensor<3>, covariates: Option<Tensor<3>>) -> Tensor<3> {
        let x = x.swapped(1, 2);
        let time = x.dims()[2];
        // The last step stands before the first, the first behind the last.
        let (first, last) = (x.clone().narrow(2, 0, 1), x.clone().narrow(2, time - 1, 1));
        let circle = Tensor::cat(vec![last, x, first], 2);
        let y = conv1d(
            circle,
            self.embedding.val(),
            None,
            ConvOptions::new([1], [0], [1], 1),
        );
        let y = y.swapped(1, 2);
        let y = match (&self.covariates, covariates) {
            (Some(layer), Some(covariates)) => y + layer.forward(covariates),
            _ => y,
        };
        self.dropout.forward(y)
    }

    /// Each variable as a window of its own, window by window.
    ///
    /// # Shapes
    /// - x: `[B, L', N]`
    /// - output: `[B·N, L', 1]`
    fn apart(x: Tensor<3>) -> Tensor<3> {
        let [batch, time, variables] = x.dims();
        x.swapped(1, 2).reshape([batch * variables, time, 1])
    }

    /// The same covariates for each variable of a window.
    ///
    /// # Shapes
    /// - x: `[B, L', P]`
    /// - output: `[B·N, L', P]`
    fn for_each_variable(&self, x: Tensor<3>) -> Tensor<3> {
        let [batch, time, columns] = x.dims();
        let variables = self.windows.n_targets;
        x.unsqueeze_dim::<4>(1)
            .expand([batch, variables, time, columns])
            .reshape([batch * variables, time, columns])
    }

    /// What a scale forecasts, `[B, N, H·W]`.
    fn forecast(&self, scale: usize, y: Tensor<3>, trend: Option<Tensor<3>>) -> Tensor<3> {
        let SeriesSpec {
            horizon,
            n_targets,
            n_outputs,
            ..
        } = self.windows;
        let y = self.heads[scale].forward(y.swapped(1, 2)).swapped(1, 2);
        let y = self.projection.forward(y);
        let rows = y.dims()[0];
        match trend {
            // [B·N, H, W]
            None => y.reshape([rows / n_targets, n_targets, horizon * n_outputs]),
            Some(trend) => {
                let y = y.reshape([rows, horizon, n_targets, n_outputs]);
                let y = y.swapped(1, 2);
                let rest = &self.rests[scale];
                let trend = rest.second.forward(rest.first.forward(trend));
                y.reshape([rows, n_targets, horizon * n_outputs]) + trend
            }
        }
    }
}

impl Network for TimeMixer {
    type Input = SeriesInput;
    type Spec = SeriesSpec;

    fn name(&self) -> &'static str {
        TimeMixerConfig::NAME
    }

    fn spec(&self) -> SeriesSpec {
        self.windows.clone()
    }

    fn run(&self, input: SeriesInput, _: Want) -> Forward {
        input.assert_fits(self.name(), &self.windows, self.capabilities());
        let (series, scale) = self.normalized(input.past);
        let mut covariates = match input.past_covariates {
            Some(covariates) => self.scales.of_covariates(covariates),
            None => vec![],
        }
        .into_iter();
        let (mut tokens, mut trends) = (vec![], vec![]);
        for x in series {
            let (x, covariates) = match self.independent() {
                true => {
                    trends.push(None);
                    let covariates = covariates.next();
                    let covariates = covariates.map(|x| self.for_each_variable(x));
                    (Self::apart(x), covariates)
                }
                false => {
                    let trend = moving_average(x.clone().swapped(1, 2), self.kernel);
                    trends.push(Some(trend.clone()));
                    (x - trend.swapped(1, 2), covariates.next())
                }
            };
            tokens.push(self.embed(x, covariates));
        }
        let mixed = (self.blocks.iter()).fold(tokens, |x, block| block.forward(x));
        let forecasts = mixed.into_iter().zip(trends).enumerate();
        let forecasts = forecasts.map(|(k, (y, trend))| self.forecast(k, y, trend));
        match forecasts.reduce(|sum, more| sum + more) {
            Some(sum) => scaled_back(sum, scale, &self.windows),
            None => unreachable!("the series' own scale is always there"),
        }
    }
}

impl ForecastModel for TimeMixer {
    fn capabilities(&self) -> ForecastCapabilities {
        TimeMixerConfig::CAPABILITIES
    }
}
