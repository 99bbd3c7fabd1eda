//! One block: a part of the window explained, a part of the future forecast.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::ops::parts;
use forge_nn::regularisation::{Dropout, DropoutConfig};
use forge_nn::{Linear, LinearConfig, ModuleConfig};

use super::{NHitsActivation, NHitsConfig, NHitsInterpolation, NHitsPooling};

/// Pools what it sees, and says what it makes of it: the window's residual step by step, the future at
/// a few knots, between which it interpolates.
///
/// Challu et al. 2023, equations (1) to (4).
#[derive(Module, Debug)]
pub(super) struct NHitsBlock {
    input: Linear,
    layers: Vec<Linear>,
    output: Linear,
    dropout: Dropout,
    kernel: usize,
    knots: usize,
    lookback: usize,
    horizon: usize,
    #[module(skip)]
    pooling: NHitsPooling,
    #[module(skip)]
    interpolation: NHitsInterpolation,
    #[module(skip)]
    activation: NHitsActivation,
}

/// What a block sees besides the residual.
pub(super) struct Besides {
    /// `[B, L, P]`.
    pub(super) past: Option<Tensor<3>>,
    /// `[B, L + H, K]`.
    pub(super) known: Option<Tensor<3>>,
    /// `[B, S]`.
    pub(super) fixed: Option<Tensor<2>>,
}

/// Widths of a block of stack `stack`: of what goes into it, and of what it says.
fn widths(config: &NHitsConfig, stack: usize) -> [usize; 2] {
    let windows = &config.windows;
    let (lookback, horizon) = (windows.lookback, windows.horizon);
    let kernel = config.n_pool_kernel_size[stack];
    let (seen, whole) = (
        lookback.div_ceil(kernel),
        (lookback + horizon).div_ceil(kernel),
    );
    let from = seen * (1 + windows.n_past) + whole * windows.n_known + windows.n_fixed;
    let knots = config.knots(stack);
    [from, lookback + windows.n_outputs * knots]
}

impl NHitsBlock {
    pub(super) fn new(config: &NHitsConfig, stack: usize, device: &Device) -> Self {
        let [from, to] = widths(config, stack);
        let (first, last) = config.ends();
        let linear = |from, to| LinearConfig::new(from, to).init(device);
        let units = config.mlp_units.iter();
        Self {
            input: linear(from, first),
            layers: units.map(|[from, to]| linear(*from, *to)).collect(),
            output: linear(last, to),
            dropout: DropoutConfig::new(config.dropout_prob_theta).build(device),
            kernel: config.n_pool_kernel_size[stack],
            knots: config.knots(stack),
            lookback: config.windows.lookback,
            horizon: config.windows.horizon,
            pooling: config.pooling_mode,
            interpolation: config.interpolation_mode,
            activation: config.activation,
        }
    }

    pub(super) fn parameter_count(config: &NHitsConfig, stack: usize) -> usize {
        let [from, to] = widths(config, stack);
        let (first, last) = config.ends();
        let units = config.mlp_units.iter();
        (from + 1) * first
            + units.map(|[from, to]| (from + 1) * to).sum::<usize>()
            + (last + 1) * to
    }

    /// What is explained of the residual, `[B, L]` backwards in time as that is, and the forecast
    /// `[B, W, H]`.
    pub(super) fn forward(&self, residual: Tensor<2>, besides: &Besides) -> (Tensor<2>, Tensor<3>) {
        let hidden = self.input.forward(self.seen(residual, besides));
        let hidden = self.layers.iter().fold(hidden, |x, layer| {
            self.dropout
                .forward(self.activation.forward(layer.forward(x)))
        });
        let said = self.output.forward(hidden);
        let [batch, width] = said.dims();
        let outputs = (width - self.lookback) / self.knots;
        let [past, knots] = parts(said, 1, [self.lookback, width - self.lookback]);
        let knots = knots.reshape([batch * outputs, self.knots]);
        let (device, dtype) = (knots.device(), knots.dtype());
        let weights = self
            .interpolation
            .weights(self.knots, self.horizon, &device, dtype);
        let forecast = knots.matmul(weights);
        (past, forecast.reshape([batch, outputs, self.horizon]))
    }

    /// Everything that it sees side by side, pooled: residual, covariates step by step, static
    /// numbers.
    fn seen(&self, residual: Tensor<2>, besides: &Besides) -> Tensor<2> {
        let pool = |x: Tensor<3>| self.pooling.forward(x, self.kernel).flatten::<2>(1, 2);
        let mut seen = vec![pool(residual.unsqueeze_dim(2))];
        seen.extend(besides.past.clone().map(pool));
        seen.extend(besides.known.clone().map(pool));
        seen.extend(besides.fixed.clone());
        Tensor::cat(seen, 1)
    }
}
