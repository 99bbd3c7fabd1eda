//! One learnable vector per position.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};

use crate::config_macro::config;
use crate::{ForgeError, ModuleConfig, check};

config! {
    /// Recipe of a [`LearnedPositions`].
    pub struct LearnedPositionsConfig {
        /// Positions there are, at least 1.
        pub max_len: usize,
        /// Width of a token, at least 1.
        pub d_model: usize,
    }
}

/// One learnable vector per position, from `N(0, 0.02²)` as in BERT and GPT-2.
#[derive(Module, Debug)]
pub struct LearnedPositions {
    /// `[max_len, D]`.
    pub weight: Param<Tensor<2>>,
    max_len: usize,
}

impl ModuleConfig for LearnedPositionsConfig {
    type Module = LearnedPositions;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("max_len", self.max_len)?;
        check::at_least_one("d_model", self.d_model)
    }

    fn build(&self, device: &Device) -> LearnedPositions {
        let normal = Initializer::Normal {
            mean: 0.0,
            std: 0.02,
        };
        LearnedPositions {
            weight: normal.init([self.max_len, self.d_model], device),
            max_len: self.max_len,
        }
    }
}

impl LearnedPositions {
    /// `x` plus the vectors of positions `offset`, `offset + 1`, …
    ///
    /// # Shapes
    /// - input and output: `[B, T, D]`
    ///
    /// # Panics
    /// If a position lies beyond `max_len` or the last axis is not `d_model`.
    pub fn forward(&self, x: Tensor<3>, offset: usize) -> Tensor<3> {
        let length = x.dims()[1];
        let max_len = self.max_len;
        assert!(
            offset + length <= max_len,
            "positions {offset}..{} of {max_len} learned ones",
            offset + length
        );
        x + self.weight.val().narrow(0, offset, length).unsqueeze()
    }
}
