//! MIGT-TVDT.

use burn::module::{Module, Param};
use burn::tensor::{Bool, Tensor};
use forge_nn::activation::gelu;
use forge_nn::gating::GatedInstanceNorm;
use forge_nn::ops::Axes;
use forge_nn::{Forward, Linear, Maps, Network, Want};

use super::{
    MaskedRevIn, MaskedRevInStatistics, MigtBlock, MigtCalendarEncoding, MigtTvdtConfig,
    RisingQuantileHead, TemporalAggregation,
};
use crate::forecast::{
    CalendarSteps, ForecastCapabilities, ForecastConfig, ForecastModel, SeriesInput, SeriesSpec,
};

/// Two stages of attention: each variable over time, then, with time aggregated, the variables over
/// each other behind gates; quantiles of every horizon that cannot cross.
///
/// cjfortu/FuturesSL, after the memory instance gated transformer (arXiv 2502.07280) and the
/// temporal-variable dual transformer (arXiv 2408.12446).
#[derive(Module, Debug)]
pub struct MigtTvdt {
    pub(super) revin: MaskedRevIn,
    pub(super) variables: VariableEmbedding,
    pub(super) calendar: MigtCalendarEncoding,
    pub(super) temporal: Vec<MigtBlock>,
    pub(super) aggregation: TemporalAggregation,
    pub(super) across: Vec<GatedBlock>,
    pub(super) output: Linear,
    pub(super) head: RisingQuantileHead,
    #[module(skip)]
    pub(super) windows: SeriesSpec,
}

/// Each variable's own way from a number to a vector.
#[derive(Module, Debug)]
pub(super) struct VariableEmbedding {
    /// `[V, D]`.
    pub(super) weight: Param<Tensor<2>>,
    /// `[V, D]`.
    pub(super) bias: Param<Tensor<2>>,
}

/// A block over variables and the gate between its input and output.
#[derive(Module, Debug)]
pub(super) struct GatedBlock {
    pub(super) block: MigtBlock,
    pub(super) gate: GatedInstanceNorm,
}

/// A window as the network takes it.
struct Window {
    /// `[B, L, V]`, 0 at padded steps.
    x: Tensor<3>,
    /// `[B, L]`.
    valid: Option<Tensor<2, Bool>>,
}

impl Network for MigtTvdt {
    type Input = SeriesInput;
    type Spec = SeriesSpec;

    fn name(&self) -> &'static str {
        MigtTvdtConfig::NAME
    }

    fn spec(&self) -> SeriesSpec {
        self.windows.clone()
    }

    fn run(&self, input: SeriesInput, want: Want) -> Forward {
        input.assert_fits(self.name(), &self.windows, self.capabilities());
        let want = want.attention;
        let window = self.window(&input);
        let [batch, steps, variables] = window.x.dims();
        let statistics = self
            .revin
            .statistics(window.x.clone(), window.valid.clone());
        let x = self.revin.normalize(window.x, &statistics);
        let tokens = self.tokens(x, input.calendar.as_ref());
        let width = tokens.dims()[3];
        let mut tokens = tokens.reshape([batch * variables, steps, width]);
        let valid = window.valid.map(|valid| {
            let each = valid
                .unsqueeze_dim::<3>(1)
                .expand([batch, variables, steps]);
            each.reshape([batch * variables, steps])
        });
        let mut attention = vec![];
        for block in &self.temporal {
            let map;
            (tokens, map) = block.forward(tokens, valid.clone(), want);
            // The heads of all variables side by side.
            attention.extend(map.map(|map| {
                let heads = map.dims()[1];
                map.reshape([batch, variables * heads, steps, steps])
            }));
        }
        let (x, weights) = self.aggregation.forward(tokens, valid, want);
        attention.extend(weights.map(|weights| weights.reshape([batch, variables, 1, steps])));
        let mut x = x.reshape([batch, variables, width]);
        for layer in &self.across {
            let (update, map) = layer.block.forward(x.clone(), None, want);
            x = layer.gate.forward(x, update);
            attention.extend(map);
        }
        let pooled = gelu(self.output.forward(x.reshape([batch, variables * width])));
        Forward {
            maps: Maps {
                attention,
                ..Maps::default()
            },
            ..self.head.forward(pooled).flatten::<2>(1, 2).into()
        }
    }
}

impl MigtTvdt {
    /// Level and scale of each window's variables (targets, then covariates of the past) over its
    /// valid steps: what the network does not see.
    ///
    /// # Panics
    /// If the input does not fit.
    #[must_use]
    pub fn scale_of(&self, input: &SeriesInput) -> MaskedRevInStatistics {
        input.assert_fits(self.name(), &self.windows, self.capabilities());
        let window = self.window(input);
        self.revin.statistics(window.x, window.valid)
    }

    fn window(&self, input: &SeriesInput) -> Window {
        let mut parts = vec![input.past.clone()];
        parts.extend(input.past_covariates.clone());
        let x = Tensor::cat(parts, 2);
        let valid = input.valid.clone();
        let x = match &valid {
            Some(valid) => {
                let absent = valid.clone().bool_not().unsqueeze_dim::<3>(2);
                let shape = x.dims();
                x.mask_fill(absent.expand(shape), 0.0)
            }
            None => x,
        };
        Window { x, valid }
    }

    /// The vectors of all variables and steps, with the code of the step: `[B, V, L, D]`.
    fn tokens(&self, x: Tensor<3>, calendar: Option<&CalendarSteps>) -> Tensor<4> {
        let steps = x.dims()[1];
        let code = match calendar {
            Some(calendar) => self.calendar.forward(&calendar.first(steps)),
            None => self.calendar.of_places(steps, &x.device()),
        };
        let own = |of: &Param<Tensor<2>>| of.val().unsqueeze_dim::<3>(1).unsqueeze::<4>();
        let x = x.swapped(1, 2).unsqueeze_dim::<4>(3);
        x * own(&self.variables.weight) + own(&self.variables.bias) + code.unsqueeze_dim::<4>(1)
    }
}

impl ForecastModel for MigtTvdt {
    fn capabilities(&self) -> ForecastCapabilities {
        MigtTvdtConfig::CAPABILITIES
    }
}
