//! What a row takes from its nearest candidates.

use burn::module::Module;
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};
use forge_nn::norm::{LayerNorm, LayerNormConfig};
use forge_nn::ops::LinearActivation;
use forge_nn::regularisation::{Dropout, DropoutConfig};
use forge_nn::{Linear, LinearConfig, ModuleConfig};

use super::{TabRConfig, TabRLabelEncoder};

/// Keys, and the weighted sum of the candidates' values:
/// `Σ_i softmax_i(-|k - k_i|²) · (Y(y_i) + T(k - k_i))`, `Y` the label's vector,
/// `T = Linear(Dropout(ReLU(Linear(·))))` without a last bias.
#[derive(Module, Debug)]
pub struct TabRRetrieval {
    norm: Option<LayerNorm>,
    key: Linear,
    labels: TabRLabelEncoder,
    linear1: Linear,
    dropout0: Dropout,
    linear2: Linear,
    dropout: Dropout,
}

impl TabRRetrieval {
    pub(super) fn new(config: &TabRConfig, device: &Device) -> Self {
        let (width, hidden) = (config.d_main, config.block_width());
        Self {
            norm: config
                .normalises_keys()
                .then(|| LayerNormConfig::new(width).build(device)),
            key: LinearConfig::new(width, width).build(device),
            labels: TabRLabelEncoder::new(config.of_labels(), width, device),
            linear1: LinearConfig::new(width, hidden).build(device),
            dropout0: DropoutConfig::new(config.dropout0).build(device),
            linear2: LinearConfig::new(hidden, width)
                .with_bias(false)
                .build(device),
            dropout: DropoutConfig::new(config.context_dropout).build(device),
        }
    }

    /// What rows are compared by.
    ///
    /// # Shapes
    /// - x, output: `[B, D]`
    pub(super) fn key(&self, x: Tensor<2>) -> Tensor<2> {
        self.key.forward(match &self.norm {
            Some(norm) => norm.forward(x),
            None => x,
        })
    }

    /// The sum over the `k` candidates of each row.
    ///
    /// # Shapes
    /// - keys: `[B, D]`
    /// - context: `[B, k, D]`, the candidates' keys
    /// - target: `[B · k, S]`
    /// - output: `[B, D]`
    pub(super) fn forward(
        &self,
        keys: Tensor<2>,
        context: Tensor<3>,
        target: Tensor<2>,
    ) -> Tensor<2> {
        let [rows, k, width] = context.dims();
        let difference = keys.unsqueeze_dim::<3>(1) - context;
        let similarity = difference.clone().square().sum_dim(2).squeeze_dim::<2>(2);
        let weights = self.dropout.forward(softmax(-similarity, 1));
        let weights: Tensor<3> = weights.unsqueeze_dim(1);
        let labels = self.labels.forward(target).reshape([rows, k, width]);
        let labels = weights.clone().matmul(labels).squeeze_dim::<2>(1);
        let hidden = self
            .linear1
            .forward_activated(difference, LinearActivation::Relu);
        let hidden = self.dropout0.forward(hidden);
        // The last map has no bias: the map of the sum is the sum of the maps, at a k-th of the work.
        let hidden = weights.matmul(hidden).squeeze_dim::<2>(1);
        labels + self.linear2.forward(hidden)
    }
}
