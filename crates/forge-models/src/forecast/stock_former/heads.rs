//! One head for each output of a step.

use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use forge_nn::regularisation::{Dropout, DropoutConfig};
use forge_nn::{Linear, LinearConfig, ModuleConfig};

use super::StockFormerConfig;
use crate::forecast::SeriesSpec;
use crate::forecast::outputs::ordered;

/// `W_2 dropout(relu(W_1 x))`: one output of all steps.
#[derive(Module, Debug)]
pub(super) struct OutputHead {
    hidden: Linear,
    output: Linear,
    dropout: Dropout,
}

impl OutputHead {
    pub(super) fn new(config: &StockFormerConfig, device: &Device) -> Self {
        let (width, hidden) = (config.d_model, config.d_model / 2);
        Self {
            hidden: LinearConfig::new(width, hidden).init(device),
            output: LinearConfig::new(hidden, config.windows.horizon).init(device),
            dropout: DropoutConfig::new(config.dropout).build(device),
        }
    }

    pub(super) fn parameter_count(config: &StockFormerConfig) -> usize {
        let (width, hidden) = (config.d_model, config.d_model / 2);
        (width + 1) * hidden + (hidden + 1) * config.windows.horizon
    }

    /// # Shapes
    /// - x: `[B, D]`
    /// - output: `[B, H]`
    pub(super) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let hidden = relu(self.hidden.forward(x));
        self.output.forward(self.dropout.forward(hidden))
    }
}

/// The reference's name of the head of output `i`: returns, directions, and no more there.
pub(in crate::forecast) fn head_name(i: usize) -> String {
    match i {
        0 => "return_head".into(),
        1 => "direction_head".into(),
        i => format!("output_head_{i}"),
    }
}

/// Each output's steps as predictions.
///
/// # Shapes
/// - outputs: `[B, H]` each
/// - output: `[B, H·W]`
pub(in crate::forecast) fn outputs_of_heads(
    outputs: Vec<Tensor<2>>,
    windows: &SeriesSpec,
) -> Tensor<2> {
    let y = Tensor::stack::<3>(outputs, 2);
    ordered(y, windows).flatten(1, 2)
}
