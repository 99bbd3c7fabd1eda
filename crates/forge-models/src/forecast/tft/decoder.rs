//! From locally processed features to forecasts.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::gating::{GatedLinear, GatedResidualNetwork};
use forge_nn::norm::LayerNorm;
use forge_nn::{Linear, LinearConfig, ModuleConfig};

use super::TftConfig;
use super::interpretable_attention::InterpretableAttention;

/// Static enrichment, attention over time, position-wise processing, each with its gate.
///
/// Lim et al. 2021, sections 4.5.2 to 4.6.
#[derive(Module, Debug)]
pub(super) struct TemporalDecoder {
    enrichment: GatedResidualNetwork,
    attention: InterpretableAttention,
    attention_gate: GatedLinear,
    attention_norm: LayerNorm,
    positionwise: GatedResidualNetwork,
    gate: GatedLinear,
    norm: LayerNorm,
    output: Linear,
    horizon: usize,
}

impl TemporalDecoder {
    pub(super) fn new(config: &TftConfig, device: &Device) -> Self {
        let context = config.static_variables() > 0;
        Self {
            enrichment: config.residual_network(context).build(device),
            attention: InterpretableAttention::new(config, device),
            attention_gate: config.gate().build(device),
            attention_norm: config.norm().build(device),
            positionwise: config.residual_network(false).build(device),
            gate: config.gate().build(device),
            norm: config.norm().build(device),
            output: LinearConfig::new(config.hidden_size, config.step_outputs()).init(device),
            horizon: config.windows.horizon,
        }
    }

    pub(super) fn parameter_count(config: &TftConfig) -> usize {
        let width = config.hidden_size;
        let context = config.static_variables() > 0;
        config.residual_network(context).parameter_count()
            + config.residual_network(false).parameter_count()
            + InterpretableAttention::parameter_count(config)
            + 2 * config.gate().parameter_count()
            + 2 * 2 * width
            + (width + 1) * config.step_outputs()
    }

    /// # Shapes
    /// - features: `[B, L + H, D]`, context: `[B, 1, D]`
    /// - output: `[B, H, N·W]`, weights: `[B, heads, L + H, L + H]`
    pub(super) fn forward(
        &self,
        features: Tensor<3>,
        context: Option<Tensor<3>>,
        want: bool,
    ) -> (Tensor<3>, Option<Tensor<4>>) {
        let enriched = self.enrichment.forward(features.clone(), context);
        let (attended, weights) = self.attention.forward(enriched.clone(), self.horizon, want);
        let gated = self.attention_gate.forward(attended) + self.last(enriched);
        let attended = self.attention_norm.forward(gated);
        let processed = self.positionwise.forward(attended, None);
        let gated = self.gate.forward(processed) + self.last(features);
        (self.output.forward(self.norm.forward(gated)), weights)
    }

    /// The steps to forecast.
    fn last(&self, x: Tensor<3>) -> Tensor<3> {
        let steps = x.dims()[1];
        x.narrow(1, steps - self.horizon, self.horizon)
    }
}
