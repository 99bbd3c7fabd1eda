//! StockFormer.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use forge_nn::norm::LayerNorm;
use forge_nn::ops::AttentionMask;
use forge_nn::position::RotaryEmbedding;
use forge_nn::{Forward, Linear, Maps, Network, Want};

use super::StockFormerConfig;
use super::causal_convolutions::CausalConvolutions;
use super::cross_modal::CrossModal;
use super::gated_block::GatedBlock;
use super::heads::{OutputHead, outputs_of_heads};
use super::patches::patches;
use crate::encoder_layer::EncoderLayer;
use crate::forecast::{
    ForecastCapabilities, ForecastConfig, ForecastModel, SeriesInput, SeriesSpec,
};

/// Patches of prices with a foundation model's vector and fixed numbers: attention, causal
/// convolutions, a transformer encoder and gated blocks one after the other; one head for each output.
///
/// RishiKarthikeyan07/ai-trader-saas, `StockFormer`; not the published model of that name.
#[derive(Module, Debug)]
pub struct StockFormer {
    pub(super) patch_embedding: Linear,
    pub(super) rotation: RotaryEmbedding,
    pub(super) cross_modal: CrossModal,
    pub(super) context: Option<ContextToken>,
    pub(super) convolutions: Vec<CausalConvolutions>,
    pub(super) layers: Vec<EncoderLayer>,
    pub(super) gated: Vec<GatedBlock>,
    pub(super) heads: Vec<OutputHead>,
    pub(super) patch_len: usize,
    #[module(skip)]
    pub(super) windows: SeriesSpec,
}

/// `relu(LN(W x))` of the fixed numbers.
#[derive(Module, Debug)]
pub(super) struct ContextToken {
    pub(super) linear: Linear,
    pub(super) norm: LayerNorm,
}

impl Network for StockFormer {
    type Input = SeriesInput;
    type Spec = SeriesSpec;

    fn name(&self) -> &'static str {
        StockFormerConfig::NAME
    }

    fn spec(&self) -> SeriesSpec {
        self.windows.clone()
    }

    fn run(&self, input: SeriesInput, want: Want) -> Forward {
        input.assert_fits(self.name(), &self.windows, self.capabilities());
        let want = want.attention;
        let x = self
            .patch_embedding
            .forward(patches(&input, self.patch_len));
        // As one head: what is turned is the embeddings, not queries and keys.
        let x = self.rotation.forward(x.unsqueeze_dim(1), 0).squeeze_dim(1);
        let (x, map) = self.cross_modal.forward(x, input.embedding, want);
        let mut attention: Vec<Tensor<4>> = map.into_iter().collect();
        let mut tokens = vec![x];
        if let (Some(context), Some(numbers)) = (&self.context, input.fixed) {
            let token = relu(context.norm.forward(context.linear.forward(numbers)));
            tokens.insert(0, token.unsqueeze_dim(1));
        }
        let mut x = Tensor::cat(tokens, 1);
        for block in &self.convolutions {
            x = block.forward(x);
        }
        for layer in &self.layers {
            let map;
            (x, map) = layer.forward(x, AttentionMask::none(), want);
            attention.extend(map);
        }
        for block in &self.gated {
            x = block.forward(x);
        }
        let pooled = x.mean_dim(1).squeeze_dim::<2>(1);
        let outputs = self.heads.iter().map(|head| head.forward(pooled.clone()));
        Forward {
            maps: Maps {
                attention,
                ..Maps::default()
            },
            ..outputs_of_heads(outputs.collect(), &self.windows).into()
        }
    }
}

impl ForecastModel for StockFormer {
    fn capabilities(&self) -> ForecastCapabilities {
        StockFormerConfig::CAPABILITIES
    }
}
