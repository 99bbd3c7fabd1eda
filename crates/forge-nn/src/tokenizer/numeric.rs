//! One token per numeric feature.

use burn::module::{Module, Param};
use burn::tensor::{Bool, Device, Tensor};
use serde::{Deserialize, Serialize};

use super::{replace_absent, token_init};
use crate::{ForgeError, ModuleConfig, check};

/// Makes a [`NumericTokenizer`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumericTokenizerConfig {
    /// Number of features, at least 1.
    pub n_features: usize,
    /// Width of a token, at least 1.
    pub d_token: usize,
    /// Whether every feature has a bias of its own.
    pub bias: bool,
    /// Whether every feature has a token for a missing value.
    pub missing: bool,
}

impl ModuleConfig for NumericTokenizerConfig {
    type Module = NumericTokenizer;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("n_features", self.n_features)?;
        check::at_least_one("d_token", self.d_token)
    }

    fn build(&self, device: &Device) -> NumericTokenizer {
        let token = || token_init([self.n_features, self.d_token], self.d_token, device);
        NumericTokenizer {
            weight: token(),
            bias: self.bias.then(token),
            missing: self.missing.then(token),
            n_features: self.n_features,
        }
    }
}

/// `token_j = x_j · w_j + b_j`, or `m_j` where the value is missing.
///
/// Gorishniy et al. 2021 (arXiv 2106.11959 v5), section 3.3; the missing token is an addition in
/// the manner of SAINT.
#[derive(Module, Debug)]
pub struct NumericTokenizer {
    /// `w`, `[F, D]`.
    pub weight: Param<Tensor<2>>,
    /// `b`, `[F, D]`.
    pub bias: Option<Param<Tensor<2>>>,
    /// `m`, `[F, D]`.
    pub missing: Option<Param<Tensor<2>>>,
    n_features: usize,
}

impl NumericTokenizer {
    /// Number of features.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// The tokens of `x`; `present` is true where a value is. What stands in `x` where it is false
    /// (NaN, say) reaches neither the output nor a gradient.
    ///
    /// # Shapes
    /// - x, present: `[B, F]`
    /// - output: `[B, F, D]`
    ///
    /// # Panics
    /// If `x` is not `F` wide, or `present` is given to a tokenizer without missing tokens.
    #[must_use]
    pub fn forward(&self, x: Tensor<2>, present: Option<Tensor<2, Bool>>) -> Tensor<3> {
        let ([batch, width], features) = (x.dims(), self.n_features());
        // A width of 1 would broadcast.
        assert!(
            width == features,
            "x is [{batch}, {width}], expected [B, {features}]"
        );
        let x = match &present {
            Some(present) => x.mask_fill(present.clone().bool_not(), 0.0),
            None => x,
        };
        let tokens = x.unsqueeze_dim::<3>(2) * self.weight.val().unsqueeze();
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
}
