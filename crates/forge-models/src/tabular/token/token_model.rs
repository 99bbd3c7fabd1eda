//! Tokenizer, backbone and head as a tabular model.

use burn::module::Module;
use forge_nn::{FeatureTokenizer, Forward, Maps, Network, Want};

use super::{Backbone, Read, TokenHead};
use crate::{Capabilities, RowContext, TabularInput, TabularModel, TabularRows, TabularSpec};

/// Columns become tokens beside a CLS token, the backbone mixes them, the head reads CLS.
///
/// CLS stands first, or last under a causal backbone, where a first token would have seen nothing.
#[derive(Module, Debug)]
pub struct TokenModel<B: Backbone> {
    /// Columns to tokens; has a CLS token.
    pub tokenizer: FeatureTokenizer,
    /// Tokens to tokens.
    pub backbone: B,
    /// CLS to predictions.
    pub head: TokenHead,
    #[module(skip)]
    name: &'static str,
}

impl<B: Backbone> TokenModel<B> {
    /// A model of these parts, called `name`.
    pub(crate) fn new(
        name: &'static str,
        tokenizer: FeatureTokenizer,
        backbone: B,
        head: TokenHead,
    ) -> Self {
        Self {
            tokenizer,
            backbone,
            head,
            name,
        }
    }

    /// What such a model supports.
    pub const CAPABILITIES: Capabilities = Capabilities {
        categorical: true,
        missing: false,
        rows: RowContext::Alone,
        attention_maps: B::ATTENTION_MAPS,
        feature_masks: false,
        penalty: false,
        batch_statistics: false,
    };
}

impl<B: Backbone> Network for TokenModel<B> {
    type Input = TabularInput;
    type Spec = TabularSpec;

    fn name(&self) -> &'static str {
        self.name
    }

    fn spec(&self) -> TabularSpec {
        TabularSpec {
            n_num_features: self.tokenizer.n_num_features(),
            cat_cardinalities: self.tokenizer.cat_cardinalities().to_vec(),
            d_out: self.head.d_out(),
        }
    }

    fn run(&self, input: TabularInput, want: Want) -> Forward {
        if let Err(error) = input.check(self.name, &self.spec(), Self::CAPABILITIES) {
            panic!("{error}");
        }
        let TabularRows {
            x_num,
            x_cat,
            num_present,
            cat_present,
        } = input.rows;
        let (tokens, read) = if B::CAUSAL {
            let tokens = self
                .tokenizer
                .forward_cls_last(x_num, x_cat, num_present, cat_present);
            (tokens, Read::Last)
        } else {
            let tokens = self
                .tokenizer
                .forward_masked(x_num, x_cat, num_present, cat_present);
            (tokens, Read::First)
        };
        let (cls, attention) = if want.attention {
            self.backbone.read_with_maps(tokens, None, read)
        } else {
            (self.backbone.read(tokens, None, read), vec![])
        };
        Forward {
            maps: Maps {
                attention,
                ..Maps::default()
            },
            ..self.head.forward(cls.squeeze_dim(1)).into()
        }
    }
}

impl<B: Backbone> TabularModel for TokenModel<B> {
    fn capabilities(&self) -> Capabilities {
        Self::CAPABILITIES
    }
}
