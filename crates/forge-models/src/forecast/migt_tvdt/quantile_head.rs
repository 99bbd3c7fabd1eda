//! Quantiles that do not cross.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};
use forge_nn::activation::softplus;
use forge_nn::ops::{Axes, LinearActivation};
use forge_nn::parameters::KeyMap;
use forge_nn::{ForgeError, GroupedLinear, GroupedLinearConfig, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use crate::limits;

/// Makes a [`RisingQuantileHead`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RisingQuantileHeadConfig {
    /// Width of the input, at least 1.
    pub d_model: usize,
    /// Width of the hidden layers, at least 1.
    pub head_hidden: usize,
    /// Horizons, each with layers of its own, at least 1.
    pub n_horizons: usize,
    /// Quantiles, at least 1.
    pub n_quantiles: usize,
}

/// For each horizon two layers with GELU on the input plus the horizon's own vector, then
/// `base + Σ_{i ≤ j} softplus(δ_i)`: quantile `j` lies above those before it, whatever the weights.
///
/// cjfortu/FuturesSL.
#[derive(Module, Debug)]
pub struct RisingQuantileHead {
    horizons: Param<Tensor<2>>,
    first: GroupedLinear,
    second: GroupedLinear,
    base: GroupedLinear,
    steps: GroupedLinear,
}

impl RisingQuantileHeadConfig {
    /// Of the four layers, in their order.
    fn layers(&self) -> [GroupedLinearConfig; 4] {
        let (from, hidden) = (self.d_model, self.head_hidden);
        let widths = [
            [from, hidden],
            [hidden, hidden],
            [hidden, 1],
            [hidden, self.n_quantiles],
        ];
        widths.map(|[from, to]| GroupedLinearConfig::new(self.n_horizons, from, to))
    }

    pub(super) fn parameter_count(&self) -> usize {
        let layers = self.layers().map(|layer| layer.parameter_count());
        self.n_horizons * self.d_model + layers.iter().sum::<usize>()
    }

    /// The reference's names.
    #[must_use]
    pub fn key_map(&self, map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
        let names = [
            ("first", "mlp.0"),
            ("second", "mlp.2"),
            ("base", "base_proj"),
            ("steps", "delta_proj"),
        ];
        let map = map.same(
            &format!("{ours}horizons"),
            &format!("{theirs}horizon_embedding.weight"),
        );
        let layers = names.iter().zip(self.layers());
        layers.fold(map, |map, ((name, their_name), layer)| {
            let heads = 0..self.n_horizons;
            let heads = heads.map(|h| format!("{theirs}heads.{h}.{their_name}"));
            let widths = [layer.d_input, layer.d_output];
            map.grouped_linear(&format!("{ours}{name}"), heads, widths)
        })
    }
}

impl ModuleConfig for RisingQuantileHeadConfig {
    type Module = RisingQuantileHead;

    fn validate(&self) -> Result<(), ForgeError> {
        for (field, width) in [
            ("d_model", self.d_model),
            ("head_hidden", self.head_hidden),
            ("n_horizons", self.n_horizons),
            ("n_quantiles", self.n_quantiles),
        ] {
            check::in_range(field, width, limits::WIDTH)?;
        }
        Ok(())
    }

    fn build(&self, device: &Device) -> RisingQuantileHead {
        let [first, second, base, steps] = self.layers().map(|layer| layer.build(device));
        let normal = Initializer::Normal {
            mean: 0.0,
            std: 1.0,
        };
        RisingQuantileHead {
            horizons: normal.init([self.n_horizons, self.d_model], device),
            first,
            second,
            base,
            steps,
        }
    }
}

impl RisingQuantileHead {
    /// The quantiles of every horizon.
    ///
    /// # Shapes
    /// - x: `[B, D]`
    /// - output: `[B, H, Q]`, rising along the last axis
    ///
    /// # Panics
    /// If `x` is of another width.
    #[must_use]
    pub fn forward(&self, x: Tensor<2>) -> Tensor<3> {
        let horizons = self.horizons.val().unsqueeze_dim::<3>(1);
        let x = x.unsqueeze_dim::<3>(0) + horizons;
        let gelu = LinearActivation::Gelu;
        let hidden = self.first.forward_apart_activated(x, gelu);
        let hidden = self.second.forward_apart_activated(hidden, gelu);
        let steps = softplus(self.steps.forward_apart(hidden.clone())).cumsum(2);
        (self.base.forward_apart(hidden) + steps).swapped(0, 1)
    }
}
