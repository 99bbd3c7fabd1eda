//! Prices and the foundation model's vector together.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::activation::gelu;
use forge_nn::attention::{MultiHeadAttention, MultiHeadAttentionConfig};
use forge_nn::norm::{LayerNorm, LayerNormConfig};
use forge_nn::ops::AttentionMask;
use forge_nn::{Linear, LinearConfig, ModuleConfig};

use super::StockFormerConfig;

/// Self-attention of the patches, beside it what they read of the vector, joined:
/// `gelu(LN(W [attention(x), read]))`.
#[derive(Module, Debug)]
pub(super) struct CrossModal {
    attention: MultiHeadAttention,
    embedding: Option<EmbeddingReader>,
    fusion: Linear,
    norm: LayerNorm,
}

/// Attention to the vector as the one key there is: its weight is 1 whatever asks, so what every patch
/// reads is `W_o W_v` of it. Queries and keys of the seed's class are kept for its weights; nothing
/// depends on them.
#[derive(Module, Debug)]
struct EmbeddingReader {
    projection: Linear,
    /// Queries, keys, values: `[D, 3 D]`.
    in_proj: Linear,
    out_proj: Linear,
    width: usize,
}

impl CrossModal {
    pub(super) fn new(config: &StockFormerConfig, device: &Device) -> Self {
        let width = config.d_model;
        let linear = |from, to| LinearConfig::new(from, to).init(device);
        let from = config.windows.d_embedding;
        let reader = || EmbeddingReader {
            projection: linear(from, width),
            in_proj: linear(width, 3 * width),
            out_proj: linear(width, width),
            width,
        };
        let parts = 1 + usize::from(from > 0);
        Self {
            attention: MultiHeadAttentionConfig::new(width, config.n_heads)
                .with_dropout(config.dropout)
                .build(device),
            embedding: (from > 0).then(reader),
            fusion: linear(parts * width, width),
            norm: LayerNormConfig::new(width).build(device),
        }
    }

    pub(super) fn parameter_count(config: &StockFormerConfig) -> usize {
        let (width, from) = (config.d_model, config.windows.d_embedding);
        let attention = 4 * (width + 1) * width;
        let (parts, reader) = match from {
            0 => (1, 0),
            from => (2, (from + 1) * width + attention),
        };
        attention + reader + (parts * width + 1) * width + 2 * width
    }

    /// The patches, and their weights on each other where they are wanted.
    ///
    /// # Shapes
    /// - x and output: `[B, T, D]`, embedding: `[B, E]`, weights: `[B, H, T, T]`
    pub(super) fn forward(
        &self,
        x: Tensor<3>,
        embedding: Option<Tensor<2>>,
        want: bool,
    ) -> (Tensor<3>, Option<Tensor<4>>) {
        let shape = x.dims();
        let mask = AttentionMask::none();
        let (attended, map) = if want {
            let (attended, map) = self.attention.forward_with_map(x, mask, None);
            (attended, Some(map))
        } else {
            (self.attention.forward(x, mask, None), None)
        };
        let mut parts = vec![attended];
        if let (Some(reader), Some(embedding)) = (&self.embedding, embedding) {
            let read = reader.forward(embedding).unsqueeze_dim::<3>(1);
            parts.push(read.expand(shape));
        }
        let joined = self.fusion.forward(Tensor::cat(parts, 2));
        (gelu(self.norm.forward(joined)), map)
    }
}

impl EmbeddingReader {
    fn forward(&self, embedding: Tensor<2>) -> Tensor<2> {
        let token = self.projection.forward(embedding);
        let value = self
            .in_proj
            .forward_columns(token, 2 * self.width, self.width);
        self.out_proj.forward(value)
    }
}
