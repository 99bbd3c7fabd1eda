//! The student of StockFormer.

use burn::module::Module;
use burn::tensor::Tensor;
use forge_nn::ops::AttentionMask;
use forge_nn::{Forward, Linear, Maps, Network, Want};

use super::StockFormerStudentConfig;
use crate::encoder_layer::EncoderLayer;
use crate::forecast::stock_former::{outputs_of_heads, patches};
use crate::forecast::{
    ForecastCapabilities, ForecastConfig, ForecastModel, SeriesInput, SeriesSpec,
};

/// Fixed numbers, a foundation model's vector and patches of prices as tokens, a transformer encoder over
/// all of them, the mean, and a linear map for each output.
#[derive(Module, Debug)]
pub struct StockFormerStudent {
    pub(super) context: Option<Linear>,
    pub(super) embedding: Option<Linear>,
    pub(super) patch_embedding: Linear,
    pub(super) layers: Vec<EncoderLayer>,
    pub(super) heads: Vec<Linear>,
    pub(super) patch_len: usize,
    #[module(skip)]
    pub(super) windows: SeriesSpec,
}

impl Network for StockFormerStudent {
    type Input = SeriesInput;
    type Spec = SeriesSpec;

    fn name(&self) -> &'static str {
        StockFormerStudentConfig::NAME
    }

    fn spec(&self) -> SeriesSpec {
        self.windows.clone()
    }

    fn run(&self, input: SeriesInput, want: Want) -> Forward {
        input.assert_fits(self.name(), &self.windows, self.capabilities());
        let patches = patches(&input, self.patch_len);
        let mut tokens: Vec<Tensor<3>> = vec![];
        for (linear, x) in [
            (&self.context, input.fixed),
            (&self.embedding, input.embedding),
        ] {
            if let (Some(linear), Some(x)) = (linear, x) {
                tokens.push(linear.forward(x).unsqueeze_dim(1));
            }
        }
        tokens.push(self.patch_embedding.forward(patches));
        let mut x = Tensor::cat(tokens, 1);
        let mut attention = vec![];
        for layer in &self.layers {
            let map;
            (x, map) = layer.forward(x, AttentionMask::none(), want.attention);
            attention.extend(map);
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

impl ForecastModel for StockFormerStudent {
    fn capabilities(&self) -> ForecastCapabilities {
        StockFormerStudentConfig::CAPABILITIES
    }
}
