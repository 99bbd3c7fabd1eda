//! Steps to one vector.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Bool, Device, Tensor};
use forge_nn::ops::{AttentionMask, AttentionOptions, attention, attention_with_weights, parts};
use forge_nn::parameters::KeyMap;
use forge_nn::{ForgeError, Linear, LinearConfig, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use crate::limits;

/// Makes a [`TemporalAggregation`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemporalAggregationConfig {
    /// Width of a step, at least 1.
    pub d_model: usize,
}

/// A learnable query `u` attends to the valid steps: `y = Σ_t softmax(u · K x_t / √D)_t V x_t`.
///
/// cjfortu/FuturesSL; one head, no output projection. Unlike
/// [`AttentionPooling`](forge_nn::pooling::AttentionPooling) it has keys and values of its own.
#[derive(Module, Debug)]
pub struct TemporalAggregation {
    query: Param<Tensor<1>>,
    /// Keys, values: `[D, 2 D]`.
    projection: Linear,
}

impl TemporalAggregationConfig {
    pub(super) fn parameter_count(&self) -> usize {
        self.d_model + 2 * (self.d_model + 1) * self.d_model
    }

    /// The reference's names.
    #[must_use]
    pub fn key_map(&self, map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
        let parts = |kind: &str| {
            ["k", "v"].map(|part| (format!("{theirs}{part}_proj.{kind}"), self.d_model))
        };
        map.reshaped(
            &format!("{ours}query"),
            &format!("{theirs}query"),
            [1, 1, self.d_model],
        )
        .stacked_transposed(&format!("{ours}projection.weight"), parts("weight"))
        .stacked(&format!("{ours}projection.bias"), parts("bias"))
    }
}

impl ModuleConfig for TemporalAggregationConfig {
    type Module = TemporalAggregation;

    fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("d_model", self.d_model, limits::WIDTH)
    }

    fn build(&self, device: &Device) -> TemporalAggregation {
        let normal = Initializer::Normal {
            mean: 0.0,
            std: 0.02,
        };
        TemporalAggregation {
            query: normal.init([self.d_model], device),
            projection: LinearConfig::new(self.d_model, 2 * self.d_model).init(device),
        }
    }
}

impl TemporalAggregation {
    /// The steps' mean by weights, and the weights where they are wanted; zeros where no step is
    /// valid.
    ///
    /// # Shapes
    /// - x: `[B, T, D]`, valid: `[B, T]`
    /// - output: `[B, D]`, weights: `[B, T]`
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[must_use]
    pub fn forward(
        &self,
        x: Tensor<3>,
        valid: Option<Tensor<2, Bool>>,
        want: bool,
    ) -> (Tensor<2>, Option<Tensor<2>>) {
        let [batch, time, width] = x.dims();
        let query = self.query.val().reshape([1, 1, 1, width]);
        let query = query.expand([batch, 1, 1, width]);
        let both = self.projection.forward(x).unsqueeze_dim::<4>(1);
        let [key, value] = parts(both, 3, [width; 2]);
        let mask = valid.map_or_else(AttentionMask::none, AttentionMask::key_valid);
        let options = AttentionOptions::default();
        let (y, weights) = if want {
            let (y, weights) = attention_with_weights(query, key, value, mask, None, &options);
            (y, Some(weights.reshape([batch, time])))
        } else {
            (attention(query, key, value, mask, None, &options), None)
        };
        (y.reshape([batch, width]), weights)
    }
}
