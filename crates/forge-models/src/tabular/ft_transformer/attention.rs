//! Multi-head attention with the projections of one layer fused.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Initializer, Linear, LinearConfig};
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor, module::linear};

use super::block::Queries;

/// Multi-head self-attention, of all tokens or of the first one alone.
///
/// The query, key and value projections are one matrix, in that order; with one head there is no
/// output projection. Biases begin at zero.
#[derive(Module, Debug)]
pub(super) struct FeatureAttention {
    qkv: Linear,
    output: Option<Linear>,
    dropout: Dropout,
    n_heads: usize,
}

impl FeatureAttention {
    pub(super) fn new(width: usize, n_heads: usize, dropout: f64, device: &Device) -> Self {
        let unbiased = |d_out| Linear {
            bias: Some(Initializer::Zeros.init([d_out], device)),
            ..LinearConfig::new(width, d_out)
                .with_bias(false)
                .init(device)
        };
        Self {
            qkv: unbiased(3 * width),
            output: (n_heads > 1).then(|| unbiased(width)),
            dropout: DropoutConfig::new(dropout).init(),
            n_heads,
        }
    }

    /// # Shapes
    /// - x: `[B, T, D]`
    /// - output: `[B, Tq, D]`, `Tq` being `T` or 1
    pub(super) fn forward(&self, x: Tensor<3>, queries: Queries) -> Tensor<3> {
        let width = x.dims()[2];
        let (q, k, v) = match queries {
            Queries::All => {
                let qkv = self.qkv.forward(x);
                let part = |i| qkv.clone().narrow(2, i * width, width);
                (part(0), part(1), part(2))
            }
            // The other tokens' queries would be thrown away.
            Queries::First => {
                let q = self.project(x.clone().narrow(1, 0, 1), 0, width);
                let kv = self.project(x, width, 2 * width);
                (
                    q,
                    kv.clone().narrow(2, 0, width),
                    kv.narrow(2, width, width),
                )
            }
        };
        let mixed = attend(self.heads(q), self.heads(k), self.heads(v), &self.dropout);
        let [batch, heads, tokens, d_head] = mixed.dims();
        let mixed = mixed
            .swap_dims(1, 2)
            .reshape([batch, tokens, heads * d_head]);
        match &self.output {
            Some(output) => output.forward(mixed),
            None => mixed,
        }
    }

    /// Columns `start..start + length` of the fused projection of `x`.
    fn project(&self, x: Tensor<3>, start: usize, length: usize) -> Tensor<3> {
        let weight = self.qkv.weight.val().narrow(1, start, length);
        let bias = self
            .qkv
            .bias
            .as_ref()
            .map(|bias| bias.val().narrow(0, start, length));
        linear(x, weight, bias)
    }

    /// `[B, T, D]` to `[B, H, T, D / H]`.
    fn heads(&self, x: Tensor<3>) -> Tensor<4> {
        let [batch, tokens, width] = x.dims();
        x.reshape([batch, tokens, self.n_heads, width / self.n_heads])
            .swap_dims(1, 2)
    }
}

/// `Dropout(softmax(q kᵀ / √d)) v`.
///
/// # Shapes
/// - q: `[B, H, Tq, d]`, k, v: `[B, H, Tk, d]`
/// - output: `[B, H, Tq, d]`
fn attend(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>, dropout: &Dropout) -> Tensor<4> {
    let scale = (q.dims()[3] as f64).powf(-0.5);
    let scores = (q * scale).matmul(k.swap_dims(2, 3));
    dropout.forward(softmax(scores, 3)).matmul(v)
}
