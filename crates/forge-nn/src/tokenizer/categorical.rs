//! One token per categorical feature.

use burn::module::{Module, Param};
use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::{replace_absent, token_init};
use crate::{ForgeError, ModuleConfig, check};

/// Makes a [`CategoricalTokenizer`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoricalTokenizerConfig {
    /// Number of codes of each feature, each at least 1; at least one feature.
    pub cardinalities: Vec<usize>,
    /// Width of a token, at least 1.
    pub d_token: usize,
    /// Whether every feature has a bias of its own.
    pub bias: bool,
    /// Whether every feature has a token for a missing value.
    pub missing: bool,
}

impl ModuleConfig for CategoricalTokenizerConfig {
    type Module = CategoricalTokenizer;

    fn validate(&self) -> Result<(), ForgeError> {
        if self.cardinalities.is_empty() {
            return Err(ForgeError::config("cardinalities", "[]", "not empty"));
        }
        for (j, &cardinality) in self.cardinalities.iter().enumerate() {
            check::at_least_one(&format!("cardinalities[{j}]"), cardinality)?;
        }
        check::at_least_one("d_token", self.d_token)
    }

    fn build(&self, device: &Device) -> CategoricalTokenizer {
        let rows: usize = self.cardinalities.iter().sum();
        let per_feature = || {
            token_init(
                [self.cardinalities.len(), self.d_token],
                self.d_token,
                device,
            )
        };
        CategoricalTokenizer {
            weight: token_init([rows, self.d_token], self.d_token, device),
            bias: self.bias.then(per_feature),
            missing: self.missing.then(per_feature),
            d_token: self.d_token,
            cardinalities: self.cardinalities.clone(),
        }
    }
}

/// `token_j = e_j[code_j] + b_j`, or `m_j` where the category is missing.
///
/// Gorishniy et al. 2021 (arXiv 2106.11959 v5), section 3.3. The features' tables stand one under
/// the other in a single one, so that a batch is one lookup.
#[derive(Module, Debug)]
pub struct CategoricalTokenizer {
    /// The tables `e_0, e_1, …` stacked, `[ΣC_j, D]`.
    pub weight: Param<Tensor<2>>,
    /// `b`, `[F, D]`.
    pub bias: Option<Param<Tensor<2>>>,
    /// `m`, `[F, D]`.
    pub missing: Option<Param<Tensor<2>>>,
    d_token: usize,
    #[module(skip)]
    cardinalities: Vec<usize>,
}

impl CategoricalTokenizer {
    /// Number of codes of each feature.
    #[must_use]
    pub fn cardinalities(&self) -> &[usize] {
        &self.cardinalities
    }

    /// The tokens of `codes`, column `j` in `0..cardinalities[j]`; `present` is true where a
    /// category is. What stands in `codes` where it is false does not matter.
    ///
    /// The range of the codes is not checked here: that would wait for the device on every call.
    /// A code past its feature's table reads the next feature's.
    ///
    /// # Shapes
    /// - codes, present: `[B, F]`
    /// - output: `[B, F, D]`
    ///
    /// # Panics
    /// If `codes` is not `F` wide, or `present` is given to a tokenizer without missing tokens.
    #[must_use]
    pub fn forward(&self, codes: Tensor<2, Int>, present: Option<Tensor<2, Bool>>) -> Tensor<3> {
        let [batch, features] = codes.dims();
        let expected = self.cardinalities.len();
        assert!(
            features == expected,
            "codes are [{batch}, {features}], expected [B, {expected}]"
        );
        let codes = match &present {
            Some(present) => codes.mask_fill(present.clone().bool_not(), 0),
            None => codes,
        };
        let rows = (codes.clone() + self.offsets(&codes)).reshape([batch * features]);
        let tokens = self
            .weight
            .val()
            .select(0, rows)
            .reshape([batch, features, self.d_token]);
        let tokens = match &self.bias {
            Some(bias) => tokens + bias.val().unsqueeze(),
            None => tokens,
        };
        match (present, &self.missing) {
            (None, _) => tokens,
            (Some(present), Some(missing)) => replace_absent(tokens, present, missing.val()),
            (Some(_), None) => panic!("{}", super::feature::NO_MISSING),
        }
    }

    /// Where each feature's table begins, `[1, F]`, in the integer type of `like`.
    fn offsets(&self, like: &Tensor<2, Int>) -> Tensor<2, Int> {
        let starts: Vec<i64> = self
            .cardinalities
            .iter()
            .scan(0, |next, &cardinality| {
                let start = *next;
                *next += cardinality as i64;
                Some(start)
            })
            .collect();
        let data = TensorData::new(starts, [1, self.cardinalities.len()]);
        Tensor::from_data(data, (&like.device(), like.dtype()))
    }
}
