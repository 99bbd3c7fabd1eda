//! Tokenizer, backbone and head as a tabular model: written once for every backbone.

use burn::module::Module;
use burn::tensor::Tensor;
use forge_nn::FeatureTokenizer;

use super::{Backbone, TokenHead};
use crate::{Capabilities, TabularInput, TabularModel, TabularSpec};

/// Columns become tokens behind a CLS token, the backbone mixes them, the head reads CLS.
#[derive(Module, Debug)]
pub struct TokenModel<B: Backbone> {
    /// Columns to tokens; has a CLS token.
    pub tokenizer: FeatureTokenizer,
    /// Tokens to tokens.
    pub backbone: B,
    /// CLS to predictions.
    pub head: TokenHead,
}

impl<B: Backbone> TabularModel for TokenModel<B> {
    const NAME: &'static str = B::TABULAR_NAME;
    const CAPABILITIES: Capabilities = B::TABULAR_CAPABILITIES;

    fn spec(&self) -> TabularSpec {
        TabularSpec {
            n_num_features: self.tokenizer.n_num_features(),
            cat_cardinalities: self.tokenizer.cat_cardinalities().to_vec(),
            d_out: self.head.d_out(),
        }
    }

    fn forward(&self, input: TabularInput) -> Tensor<2> {
        if let Err(error) = input.check(Self::NAME, &self.spec(), Self::CAPABILITIES) {
            panic!("{error}");
        }
        let TabularInput {
            x_num,
            x_cat,
            num_present,
            cat_present,
        } = input;
        let tokens = self
            .tokenizer
            .forward_masked(x_num, x_cat, num_present, cat_present);
        self.head.forward(self.backbone.forward_first(tokens))
    }
}
