//! Attention whose heads share their values.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::attention::split_heads;
use forge_nn::ops::{AttentionMask, AttentionOptions, attention, attention_with_weights, parts};
use forge_nn::regularisation::{Dropout, DropoutConfig};
use forge_nn::{Linear, LinearConfig, ModuleConfig};

use super::TftConfig;

/// `W_o (1/H) Σ_h softmax(Q_h K_hᵀ / √d) V`, each step over itself and those before: as the heads share
/// `V`, the mean of their weights is the weight of a step.
///
/// Lim et al. 2021, equations (13) to (16); no biases.
#[derive(Module, Debug)]
pub(super) struct InterpretableAttention {
    /// Queries of all heads, keys of all heads, values: `[D, (2 H + 1) d]`.
    projection: Linear,
    output: Linear,
    dropout: Dropout,
    n_heads: usize,
}

impl InterpretableAttention {
    pub(super) fn new(config: &TftConfig, device: &Device) -> Self {
        let (width, heads) = (config.hidden_size, config.n_head);
        let head = width / heads;
        let linear = |from, to| LinearConfig::new(from, to).with_bias(false).init(device);
        Self {
            projection: linear(width, (2 * heads + 1) * head),
            output: linear(head, width),
            dropout: DropoutConfig::new(config.attn_dropout).build(device),
            n_heads: heads,
        }
    }

    pub(super) fn parameter_count(config: &TftConfig) -> usize {
        let (width, heads) = (config.hidden_size, config.n_head);
        let head = width / heads;
        width * (2 * heads + 1) * head + head * width
    }

    /// What the last `horizon` steps read, and the weights of all steps if they are wanted.
    ///
    /// # Shapes
    /// - x: `[B, L + H, D]`
    /// - output: `[B, H, D]`, weights: `[B, heads, L + H, L + H]`
    pub(super) fn forward(
        &self,
        x: Tensor<3>,
        horizon: usize,
        want: bool,
    ) -> (Tensor<3>, Option<Tensor<4>>) {
        let [batch, steps, width] = x.dims();
        let (heads, head) = (self.n_heads, width / self.n_heads);
        let all = heads * head;
        let first = if want { 0 } else { steps - horizon };
        let queries = x.clone().narrow(1, first, steps - first);
        let q = split_heads(self.projection.forward_columns(queries, 0, all), heads);
        let kv = self.projection.forward_columns(x, all, all + head);
        let [k, v] = parts(kv, 2, [all, head]);
        let k = split_heads(k, heads);
        let v = v.unsqueeze_dim::<4>(1);
        let v = v.expand([batch, heads, steps, head]);
        let options = AttentionOptions {
            causal: true,
            dropout: self.dropout.rate(),
            ..AttentionOptions::default()
        };
        let mask = AttentionMask::none();
        let (mixed, weights) = if want {
            let (mixed, weights) = attention_with_weights(q, k, v, mask, None, &options);
            (mixed.narrow(2, steps - horizon, horizon), Some(weights))
        } else {
            (attention(q, k, v, mask, None, &options), None)
        };
        let mean = mixed.mean_dim(1).squeeze_dim::<3>(1);
        (self.output.forward(mean), weights)
    }
}
