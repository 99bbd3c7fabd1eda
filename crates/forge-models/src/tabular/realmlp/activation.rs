//! Activations with a learnt strength.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use forge_nn::activation::{mish, selu, silu};
use serde::{Deserialize, Serialize};

/// An activation function.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RealMlpActivation {
    /// The authors' for numbers.
    #[default]
    Mish,
    /// The authors' for classes.
    Selu,
    /// `x sigmoid(x)`.
    Silu,
}

impl RealMlpActivation {
    fn apply(self, x: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Mish => mish(x),
            Self::Selu => selu(x),
            Self::Silu => silu(x),
        }
    }
}

/// `x + (f(x) - x) w` with one `w` per unit, which starts at 1; or `f(x)` where it is not learnt.
///
/// Holzmüller et al. 2024 (arXiv 2407.04491), section 3, "parametric activation functions".
#[derive(Module, Debug)]
pub struct ParametricActivation {
    /// `w`, `[1, D]`.
    pub weight: Option<Param<Tensor<2>>>,
    #[module(skip)]
    function: RealMlpActivation,
}

impl ParametricActivation {
    pub(super) fn new(
        function: RealMlpActivation,
        width: usize,
        learnt: bool,
        device: &Device,
    ) -> Self {
        let ones = || Param::from_tensor(Tensor::ones([1, width], device));
        Self {
            weight: learnt.then(ones),
            function,
        }
    }

    /// # Shapes
    /// - x, output: `[B, D]`
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let y = self.function.apply(x.clone());
        match &self.weight {
            None => y,
            Some(weight) => x.clone() + (y - x) * weight.val(),
        }
    }
}
