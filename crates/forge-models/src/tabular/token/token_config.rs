//! The config of a model over a backbone.

use burn::tensor::Device;
use forge_nn::num_embeddings::NumEmbeddings;
use forge_nn::{FeatureTokenizerConfig, ForgeError, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::{BackboneConfig, TokenHead, TokenModel};
use crate::limits;
use crate::reference::{KeyMap, ReferenceWeights};
use crate::tabular::numbers::Numbers;
use crate::{
    Capabilities, ParameterCount, Preset, Shrink, Strategy, TabularConfig, TabularSpec,
    TrainingRows,
};

/// Makes a [`TokenModel`]: the table's columns, and the backbone's own config.
///
/// `{"n_num_features": 5, "cat_cardinalities": [3], "d_out": 1, "backbone": {…}}`. The columns have
/// to be set; a backbone that is left out is the default's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenConfig<C> {
    /// Number of numeric features; at least one feature of either kind. Default 0.
    #[serde(default)]
    pub n_num_features: usize,
    /// Number of codes of each categorical feature, each at least 1. Default: none.
    #[serde(default)]
    pub cat_cardinalities: Vec<usize>,
    /// Width of the output, at least 1. Default 1.
    #[serde(default = "one")]
    pub d_out: usize,
    /// How numbers become tokens; absent: as `x_j w_j + b_j`. Its `d_embedding` is absent or the
    /// width of a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_embeddings: Option<NumEmbeddings>,
    /// The backbone.
    #[serde(default)]
    pub backbone: C,
}

fn one() -> usize {
    1
}

impl<C> TokenConfig<C> {
    /// A backbone under columns that are not set yet.
    pub fn new(backbone: C) -> Self {
        Self {
            n_num_features: 0,
            cat_cardinalities: vec![],
            d_out: 1,
            num_embeddings: None,
            backbone,
        }
    }
}

impl<C: Default> Default for TokenConfig<C> {
    fn default() -> Self {
        Self::new(C::default())
    }
}

/// The part of a config that describes columns, whatever else is in it: sizing, counting and the
/// key map of tokenizer and head.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokenColumns<'a> {
    pub(crate) n_num_features: usize,
    pub(crate) cat_cardinalities: &'a [usize],
    pub(crate) d_out: usize,
    pub(crate) d_token: usize,
    pub(crate) num_embeddings: &'a Option<NumEmbeddings>,
}

/// The columns of a config that has the usual fields, at a token width.
macro_rules! column_fields {
    ($config:expr, $width:expr) => {
        $crate::tabular::token::TokenColumns {
            n_num_features: $config.n_num_features,
            cat_cardinalities: &$config.cat_cardinalities,
            d_out: $config.d_out,
            d_token: $width,
            num_embeddings: &$config.num_embeddings,
        }
    };
}
pub(crate) use column_fields;

impl TokenColumns<'_> {
    pub(crate) fn tokenizer(&self) -> FeatureTokenizerConfig {
        FeatureTokenizerConfig {
            n_num_features: self.n_num_features,
            cat_cardinalities: self.cat_cardinalities.to_vec(),
            d_token: self.d_token,
            cls: true,
            bias: true,
            missing: false,
            num_embeddings: self.num_embeddings.clone(),
        }
    }

    pub(crate) fn numbers(&self) -> Numbers<'_> {
        Numbers {
            n_features: self.n_num_features,
            embeddings: self.num_embeddings,
        }
    }

    pub(crate) fn validate(&self) -> Result<(), ForgeError> {
        let columns = ..=*limits::COLUMNS.end();
        check::in_range("n_num_features", self.n_num_features, columns)?;
        for (j, &cardinality) in self.cat_cardinalities.iter().enumerate() {
            let field = format!("cat_cardinalities[{j}]");
            check::in_range(&field, cardinality, limits::COLUMNS)?;
        }
        self.tokenizer().validate()?;
        check::in_range("d_out", self.d_out, limits::COLUMNS)
    }

    pub(crate) fn spec(&self) -> TabularSpec {
        TabularSpec {
            n_num_features: self.n_num_features,
            cat_cardinalities: self.cat_cardinalities.to_vec(),
            d_out: self.d_out,
        }
    }

    /// Parameters of tokenizer and head.
    pub(crate) fn parameter_count(&self) -> usize {
        let head = TokenHead::parameter_count(self.d_token, self.d_out);
        self.tokenizer().parameter_count() + head
    }

    /// Tokenizer and head under the names of `rtdl_revisiting_models`.
    pub(crate) fn key_map(&self, map: KeyMap) -> KeyMap {
        let mut map = map.same("tokenizer.cls", "cls_embedding.weight");
        if self.n_num_features > 0 {
            map = match self.num_embeddings {
                Some(embeddings) => {
                    embeddings.key_map(map, "tokenizer.num_embeddings.", "cont_embeddings.")
                }
                None => map
                    .same("tokenizer.numeric.weight", "cont_embeddings.weight")
                    .same("tokenizer.numeric.bias", "cont_embeddings.bias"),
            };
        }
        if !self.cat_cardinalities.is_empty() {
            let tables = self.cat_cardinalities.iter().enumerate();
            let tables = tables.map(|(j, &n)| (format!("cat_embeddings.embeddings.{j}.weight"), n));
            map = map
                .stacked("tokenizer.categorical.weight", tables)
                .same("tokenizer.categorical.bias", "cat_embeddings.bias");
        }
        TokenHead::key_map(map, "head", "backbone.output")
    }
}

impl<C: BackboneConfig> TokenConfig<C> {
    fn columns(&self) -> TokenColumns<'_> {
        column_fields!(self, self.backbone.d_token())
    }
}

impl<C: BackboneConfig> ModuleConfig for TokenConfig<C> {
    type Module = TokenModel<C::Module>;

    fn validate(&self) -> Result<(), ForgeError> {
        self.backbone.validate()?;
        self.columns().validate()?;
        self.backbone
            .validate_tokens(1 + self.n_num_features + self.cat_cardinalities.len())
    }

    fn build(&self, device: &Device) -> TokenModel<C::Module> {
        let columns = self.columns();
        TokenModel::new(
            C::NAME,
            columns.tokenizer().build(device),
            self.backbone.build(device),
            TokenHead::new(columns.d_token, self.d_out, device),
        )
    }
}

impl<C: BackboneConfig> ParameterCount for TokenConfig<C> {
    fn parameter_count(&self) -> usize {
        self.columns().parameter_count() + self.backbone.parameter_count()
    }
}

impl<C: BackboneConfig> TabularConfig for TokenConfig<C> {
    const NAME: &'static str = C::NAME;
    const CAPABILITIES: Capabilities = TokenModel::<C::Module>::CAPABILITIES;

    fn spec(&self) -> TabularSpec {
        self.columns().spec()
    }

    fn sized_for(self, table: &TabularSpec) -> Result<Self, ForgeError> {
        Ok(Self {
            n_num_features: table.n_num_features,
            cat_cardinalities: table.cat_cardinalities.clone(),
            d_out: table.d_out,
            ..self
        })
    }

    fn fitted_to(self, rows: &TrainingRows<'_>) -> Result<Self, ForgeError> {
        Ok(Self {
            num_embeddings: self.columns().numbers().fitted_to(rows)?,
            ..self
        })
    }

    fn smaller(self, by: Shrink) -> Self {
        let backbone = self.backbone.smaller(by);
        let numbers = Numbers {
            n_features: self.n_num_features,
            embeddings: &self.num_embeddings,
        };
        let num_embeddings = numbers.smaller_tokens(by, backbone.d_token());
        Self {
            num_embeddings,
            backbone,
            ..self
        }
    }

    fn narrow() -> Self {
        Self::new(C::narrow())
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        C::preset(strategy).map(Self::new)
    }
}

impl<C: BackboneConfig> ReferenceWeights for TokenConfig<C> {
    const REFERENCE: &'static str = C::REFERENCE;

    /// The backbone's tensors under `backbone.` with the reference's names, tokenizer and head as
    /// `rtdl_revisiting_models` names them.
    fn key_map(&self) -> KeyMap {
        let map = self.columns().key_map(KeyMap::new());
        self.backbone.key_map(map, "backbone.", "backbone.")
    }
}
