//! A row of a table as a sequence of tokens.

use burn::module::{Module, Param};
use burn::tensor::{Bool, Device, Int, Tensor};
use serde::{Deserialize, Serialize};

use super::{
    CategoricalTokenizer, CategoricalTokenizerConfig, NumericTokenizer, NumericTokenizerConfig,
    token_init,
};
use crate::num_embeddings::{NumEmbedder, NumEmbedderConfig, NumEmbeddings};
use crate::{ForgeError, ModuleConfig, check};

pub(super) const NO_MISSING: &str =
    "a mask of missing values was given to a tokenizer without missing tokens";

/// Makes a [`FeatureTokenizer`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureTokenizerConfig {
    /// Number of numeric features; at least one feature of either kind.
    pub n_num_features: usize,
    /// Number of codes of each categorical feature, each at least 1.
    pub cat_cardinalities: Vec<usize>,
    /// Width of a token, at least 1.
    pub d_token: usize,
    /// Whether a CLS token stands first.
    pub cls: bool,
    /// Whether every feature has a bias of its own.
    pub bias: bool,
    /// Whether every feature has a token for a missing value.
    pub missing: bool,
    /// How numbers become tokens; absent: as `x_j w_j + b_j`. Not together with `missing`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_embeddings: Option<NumEmbeddings>,
}

impl FeatureTokenizerConfig {
    /// The layer that makes tokens of numbers in place of [`NumericTokenizer`].
    fn embedder(&self) -> Result<Option<NumEmbedderConfig>, ForgeError> {
        match &self.num_embeddings {
            Some(embeddings) if self.n_num_features > 0 => {
                let embeddings = embeddings.of_width(self.d_token)?;
                Ok(Some(NumEmbedderConfig::new(
                    self.n_num_features,
                    embeddings,
                )))
            }
            _ => Ok(None),
        }
    }

    /// Number of trainable parameters.
    #[must_use]
    pub fn parameter_count(&self) -> usize {
        let per_feature = usize::from(self.bias) + usize::from(self.missing);
        let numeric = match self.embedder() {
            Ok(Some(embedder)) => embedder.embeddings.parameter_count(self.n_num_features),
            _ => self.d_token * self.n_num_features * (1 + per_feature),
        };
        let categorical = self.cat_cardinalities.len() * per_feature
            + self.cat_cardinalities.iter().sum::<usize>();
        numeric + self.d_token * (usize::from(self.cls) + categorical)
    }
}

impl ModuleConfig for FeatureTokenizerConfig {
    type Module = FeatureTokenizer;

    fn validate(&self) -> Result<(), ForgeError> {
        if self.n_num_features == 0 && self.cat_cardinalities.is_empty() {
            let allowed = "at least 1 where cat_cardinalities is empty";
            return Err(ForgeError::config("n_num_features", 0, allowed));
        }
        for (j, &cardinality) in self.cat_cardinalities.iter().enumerate() {
            check::at_least_one(&format!("cat_cardinalities[{j}]"), cardinality)?;
        }
        check::at_least_one("d_token", self.d_token)?;
        let Some(embedder) = self.embedder()? else {
            return Ok(());
        };
        if self.missing {
            let allowed = "false where num_embeddings is set: it has no token for a missing value";
            return Err(ForgeError::config("missing", true, allowed));
        }
        embedder.validate()
    }

    fn build(&self, device: &Device) -> FeatureTokenizer {
        let embedder = self.embedder().ok().flatten();
        let numeric = NumericTokenizerConfig {
            n_features: self.n_num_features,
            d_token: self.d_token,
            bias: self.bias,
            missing: self.missing,
        };
        let categorical = CategoricalTokenizerConfig {
            cardinalities: self.cat_cardinalities.clone(),
            d_token: self.d_token,
            bias: self.bias,
            missing: self.missing,
        };
        FeatureTokenizer {
            cls: self
                .cls
                .then(|| token_init([self.d_token], self.d_token, device)),
            numeric: (self.n_num_features > 0 && embedder.is_none()).then(|| numeric.build(device)),
            num_embeddings: embedder.map(|embedder| embedder.build(device)),
            categorical: (!self.cat_cardinalities.is_empty()).then(|| categorical.build(device)),
        }
    }
}

/// CLS, then the numeric features, then the categorical ones, as tokens of one width.
///
/// Gorishniy et al. 2021, "Revisiting Deep Learning Models for Tabular Data" (arXiv 2106.11959
/// v5), section 3.3. The paper appends CLS; the authors' package puts it first, and so does this.
///
/// ```
/// use forge_nn::burn::tensor::{Device, Tensor};
/// use forge_nn::{FeatureTokenizerConfig, ModuleConfig};
///
/// let device = Device::flex();
/// let tokenizer = FeatureTokenizerConfig {
///     n_num_features: 3,
///     cat_cardinalities: vec![],
///     d_token: 8,
///     cls: true,
///     bias: true,
///     missing: false,
///     num_embeddings: None,
/// }
/// .init(&device);
/// let tokens = tokenizer.forward(Some(Tensor::ones([5, 3], &device)), None);
/// assert_eq!(tokens.dims(), [5, 4, 8]);
/// ```
#[derive(Module, Debug)]
pub struct FeatureTokenizer {
    /// The CLS token, `[D]`.
    pub cls: Option<Param<Tensor<1>>>,
    /// The numeric features' part, unless they are embedded.
    pub numeric: Option<NumericTokenizer>,
    /// The numeric features' embedding.
    pub num_embeddings: Option<NumEmbedder>,
    /// The categorical features' part.
    pub categorical: Option<CategoricalTokenizer>,
}

impl FeatureTokenizer {
    /// Number of numeric features.
    #[must_use]
    pub fn n_num_features(&self) -> usize {
        let embedded = self.num_embeddings.as_ref();
        let numeric = self.numeric.as_ref();
        embedded
            .map(NumEmbedder::n_features)
            .or(numeric.map(NumericTokenizer::n_features))
            .unwrap_or(0)
    }

    /// Number of codes of each categorical feature.
    #[must_use]
    pub fn cat_cardinalities(&self) -> &[usize] {
        self.categorical
            .as_ref()
            .map_or(&[], CategoricalTokenizer::cardinalities)
    }

    /// The tokens of rows in which nothing is missing.
    ///
    /// # Shapes
    /// - x_num: `[B, F_num]`, x_cat: `[B, F_cat]`
    /// - output: `[B, T, D]` with `T = cls + F_num + F_cat`
    ///
    /// # Panics
    /// As [`forward_masked`](Self::forward_masked).
    #[must_use]
    pub fn forward(&self, x_num: Option<Tensor<2>>, x_cat: Option<Tensor<2, Int>>) -> Tensor<3> {
        self.forward_masked(x_num, x_cat, None, None)
    }

    /// The tokens of rows with missing values: a mask is true where a value is present.
    ///
    /// # Shapes
    /// - x_num, num_present: `[B, F_num]`, x_cat, cat_present: `[B, F_cat]`
    /// - output: `[B, T, D]` with `T = cls + F_num + F_cat`
    ///
    /// # Panics
    /// If the kinds of features given are not those of the config, a width differs, or a mask is
    /// given to a tokenizer without missing tokens.
    #[must_use]
    pub fn forward_masked(
        &self,
        x_num: Option<Tensor<2>>,
        x_cat: Option<Tensor<2, Int>>,
        num_present: Option<Tensor<2, Bool>>,
        cat_present: Option<Tensor<2, Bool>>,
    ) -> Tensor<3> {
        let (cls, mut tokens) = self.tokens(x_num, x_cat, num_present, cat_present);
        if let Some(cls) = cls {
            tokens.insert(0, cls);
        }
        Tensor::cat(tokens, 1)
    }

    /// [`forward_masked`](Self::forward_masked) with CLS last, for causal models: there a first
    /// token sees none of the others.
    ///
    /// # Shapes
    /// - as [`forward_masked`](Self::forward_masked)
    ///
    /// # Panics
    /// As [`forward_masked`](Self::forward_masked).
    #[must_use]
    pub fn forward_cls_last(
        &self,
        x_num: Option<Tensor<2>>,
        x_cat: Option<Tensor<2, Int>>,
        num_present: Option<Tensor<2, Bool>>,
        cat_present: Option<Tensor<2, Bool>>,
    ) -> Tensor<3> {
        let (cls, mut tokens) = self.tokens(x_num, x_cat, num_present, cat_present);
        tokens.extend(cls);
        Tensor::cat(tokens, 1)
    }

    /// The CLS token `[B, 1, D]`, and the features' tokens by kind.
    fn tokens(
        &self,
        x_num: Option<Tensor<2>>,
        x_cat: Option<Tensor<2, Int>>,
        num_present: Option<Tensor<2, Bool>>,
        cat_present: Option<Tensor<2, Bool>>,
    ) -> (Option<Tensor<3>>, Vec<Tensor<3>>) {
        let numeric = match (&self.numeric, &self.num_embeddings, x_num) {
            (Some(numeric), _, Some(x)) => Some(numeric.forward(x, num_present)),
            (None, Some(embedder), Some(x)) => {
                assert!(num_present.is_none(), "{NO_MISSING}");
                Some(embedder.tokens(x))
            }
            (None, None, None) => None,
            (_, _, None) => panic!("x_num is absent, the tokenizer has numeric features"),
            (None, None, Some(_)) => {
                panic!("x_num is given, the tokenizer has no numeric features")
            }
        };
        let categorical = match (&self.categorical, x_cat) {
            (Some(categorical), Some(x)) => Some(categorical.forward(x, cat_present)),
            (None, None) => None,
            (Some(_), None) => panic!("x_cat is absent, the tokenizer has categorical features"),
            (None, Some(_)) => panic!("x_cat is given, the tokenizer has no categorical features"),
        };
        let features: Vec<_> = numeric.into_iter().chain(categorical).collect();
        let [batch, _, d_token] = features[0].dims();
        let cls = self
            .cls
            .as_ref()
            .map(|cls| cls.val().unsqueeze::<3>().expand([batch, 1, d_token]));
        (cls, features)
    }
}
