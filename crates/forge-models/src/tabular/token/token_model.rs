//! Tokenizer, backbone and head as a tabular model.

use burn::module::Module;
use burn::tensor::Tensor;
use forge_nn::{FeatureTokenizer, Forward, Maps, Network, Want};

use super::{Backbone, Read, TokenHead};
use crate::{Capabilities, RowContext, TabularInput, TabularModel, TabularRows, TabularSpec};

/// Columns become tokens beside a CLS token, the backbone mixes them, the head reads CLS.
///
/// CLS stands first, or last under a causal backbone, where a first token would have seen nothing.
///
/// Where the backbone has attention maps and CLS stands first, a layer's feature mask is how much CLS
/// looks at each feature, averaged over heads, and the importance the mean over layers: Gorishniy et
/// al. 2021, section 5.3 (there averaged over rows too). What CLS keeps for itself is not in it, so
/// that a row's values sum to less than 1.
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
        // A causal CLS stands last and is asked once; what its map shows is not the features alone.
        feature_masks: B::ATTENTION_MAPS && !B::CAUSAL,
        penalty: false,
        batch_statistics: B::BATCH_STATISTICS,
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
        let (tokens, read) = if self.backbone.is_causal() {
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
        let (cls, attention) = if want.attention || want.features {
            self.backbone.read_with_maps(tokens, None, read)
        } else {
            (self.backbone.read(tokens, None, read), vec![])
        };
        let masks = match want.features {
            true => attention.iter().map(feature_mask).collect(),
            false => vec![],
        };
        Forward {
            maps: Maps {
                importance: mean(&masks),
                masks,
                attention: if want.attention { attention } else { vec![] },
                ..Maps::default()
            },
            ..self.head.forward(cls.squeeze_dim(1)).into()
        }
    }
}

/// How much CLS, the first token, looks at each feature: the mean over the heads.
///
/// # Shapes
/// - map: `[B, H, Tq, 1 + F]`
/// - output: `[B, F]`
fn feature_mask(map: &Tensor<4>) -> Tensor<2> {
    let features = map.dims()[3] - 1;
    let of_cls = map.clone().narrow(2, 0, 1).narrow(3, 1, features);
    of_cls.mean_dim(1).squeeze_dims(&[1, 2])
}

/// The mean over the layers.
fn mean(masks: &[Tensor<2>]) -> Option<Tensor<2>> {
    let sum = masks.iter().cloned().reduce(|sum, mask| sum + mask);
    sum.map(|sum| sum * (1.0 / masks.len() as f64))
}

impl<B: Backbone> TabularModel for TokenModel<B> {
    fn capabilities(&self) -> Capabilities {
        Self::CAPABILITIES
    }
}
