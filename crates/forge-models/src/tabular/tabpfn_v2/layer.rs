//! One layer: over the tokens of a row, over the rows of a token, each token alone.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::norm::{LayerNorm, LayerNormConfig};
use forge_nn::ops::{Axes, LinearActivation, parts};
use forge_nn::{Linear, LinearConfig, ModuleConfig};

use super::attention::Keys;
use super::{SharedHeadAttention, TabPfnV2Config};

/// `x ← Norm(x + AttentionOverTokens(x))`, `x ← Norm(x + AttentionOverRows(x))`,
/// `x ← Norm(x + W₂ GELU(W₁ x))`; norms without scale and shift, no biases.
///
/// Labelled rows look at labelled rows; rows to predict look at the same with the keys and values of
/// the first head, and at nothing else.
#[derive(Module, Debug)]
pub struct TabPfnV2Layer {
    features: SharedHeadAttention,
    items: SharedHeadAttention,
    ffn_in: Linear,
    ffn_out: Linear,
    norm: LayerNorm,
}

/// What a layer gives: the tokens, and where the target's tokens of the rows to predict look, if
/// that is wanted.
type Layered = (Tensor<3>, Option<Tensor<4>>);

impl TabPfnV2Layer {
    pub(super) fn new(config: &TabPfnV2Config, device: &Device) -> Self {
        let (width, hidden) = (config.emsize, config.hidden());
        let linear = |from, to| LinearConfig::new(from, to).with_bias(false).init(device);
        let norm = LayerNormConfig::new(width);
        Self {
            features: SharedHeadAttention::new(width, config.nhead, device),
            items: SharedHeadAttention::new(width, config.nhead, device),
            ffn_in: linear(width, hidden),
            ffn_out: linear(hidden, width),
            norm: norm.with_weight(false).with_bias(false).build(device),
        }
    }

    pub(super) fn parameter_count(config: &TabPfnV2Config) -> usize {
        let (width, hidden) = (config.emsize, config.hidden());
        2 * SharedHeadAttention::parameter_count(width) + 2 * width * hidden
    }

    /// # Shapes
    /// - x, output: `[R + N, T, D]`, the labelled rows first, the target's token last
    /// - map: `[1, H, N, R]`
    pub(super) fn forward(&self, x: Tensor<3>, labelled: usize, want: bool) -> Layered {
        let [rows, tokens, _] = x.dims();
        let x = self.norm.forward(x.clone() + self.features.within(x));
        let x = x.swapped(0, 1);
        let [known, asked] = parts(x.clone(), 1, [labelled, rows - labelled]);
        let (looked, _) =
            self.items
                .across(asked.clone(), known.clone(), Keys::OfTheFirstHead, false);
        let map = if want {
            let target = |x: &Tensor<3>| x.clone().narrow(0, tokens - 1, 1);
            let (asked, known) = (target(&asked), target(&known));
            (self.items.across(asked, known, Keys::OfTheFirstHead, true)).1
        } else {
            None
        };
        let change = Tensor::cat(vec![self.items.within(known), looked], 1);
        let x = self.alone(self.norm.forward(x + change));
        (x.swapped(0, 1), map)
    }

    /// The target's tokens of the rows to predict alone: all that is read of the last layer.
    ///
    /// # Shapes
    /// - x: `[R + N, T, D]`
    /// - output: `[1, N, D]`, map: `[1, H, N, R]`
    pub(super) fn last(&self, x: Tensor<3>, labelled: usize, want: bool) -> Layered {
        let [rows, tokens, _] = x.dims();
        let target = x.clone().narrow(1, tokens - 1, 1);
        let (change, _) = self
            .features
            .across(target.clone(), x, Keys::OfEachHead, false);
        let x = self.norm.forward(target + change).swapped(0, 1);
        let [known, asked] = parts(x, 1, [labelled, rows - labelled]);
        let (change, map) = self
            .items
            .across(asked.clone(), known, Keys::OfTheFirstHead, want);
        (self.alone(self.norm.forward(asked + change)), map)
    }

    fn alone(&self, x: Tensor<3>) -> Tensor<3> {
        let hidden = (self.ffn_in).forward_activated(x.clone(), LinearActivation::Gelu);
        self.norm.forward(x + self.ffn_out.forward(hidden))
    }
}
