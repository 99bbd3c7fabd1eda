//! Level and scale of windows with padding.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Bool, Device, Tensor};
use forge_nn::parameters::KeyMap;
use forge_nn::{ForgeError, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use crate::limits;

/// Makes a [`MaskedRevIn`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaskedRevInConfig {
    /// Variables, at least 1.
    pub n_variables: usize,
    /// Added to the deviation; above 0.
    pub eps: f64,
}

/// Reversible instance normalisation over the steps that are there:
/// `y = (x - mean) / (std + ε) · γ + β`, with the unbiased deviation of each window and variable.
///
/// After Kim et al., ICLR 2022, as in cjfortu/FuturesSL; unlike
/// [`RevIn`](forge_nn::norm::RevIn), `ε` is outside the root, the deviation is unbiased and the
/// statistics are not constants for the gradient.
#[derive(Module, Debug)]
pub struct MaskedRevIn {
    /// `γ`, `[V]`, from ones.
    pub gamma: Param<Tensor<1>>,
    /// `β`, `[V]`, from zeros.
    pub beta: Param<Tensor<1>>,
    eps: f64,
}

/// What was taken out of a window.
#[derive(Debug, Clone)]
pub struct MaskedRevInStatistics {
    /// `[B, 1, V]`.
    pub mean: Tensor<3>,
    /// With `ε`, `[B, 1, V]`.
    pub std: Tensor<3>,
}

impl MaskedRevInConfig {
    /// The reference's names: the same.
    #[must_use]
    pub fn key_map(map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
        ["gamma", "beta"].iter().fold(map, |map, name| {
            map.same(&format!("{ours}{name}"), &format!("{theirs}{name}"))
        })
    }
}

impl ModuleConfig for MaskedRevInConfig {
    type Module = MaskedRevIn;

    fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("n_variables", self.n_variables, limits::WIDTH)?;
        check::positive("eps", self.eps)
    }

    fn build(&self, device: &Device) -> MaskedRevIn {
        let shape = [self.n_variables];
        MaskedRevIn {
            gamma: Initializer::Ones.init(shape, device),
            beta: Initializer::Zeros.init(shape, device),
            eps: self.eps,
        }
    }
}

impl MaskedRevIn {
    /// Mean and deviation over the valid steps of each window. A window of one valid step has the
    /// deviation `ε`.
    ///
    /// # Shapes
    /// - x: `[B, T, V]`, valid: `[B, T]`, true for steps that are there
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[must_use]
    pub fn statistics(
        &self,
        x: Tensor<3>,
        valid: Option<Tensor<2, Bool>>,
    ) -> MaskedRevInStatistics {
        let [batch, time, _] = x.dims();
        let absent = valid.map(|valid| valid.bool_not().unsqueeze_dim::<3>(2));
        let ones = Tensor::<3>::ones([batch, time, 1], (&x.device(), x.dtype()));
        let (ones, shape) = (
            match &absent {
                Some(absent) => ones.mask_fill(absent.clone(), 0.0),
                None => ones,
            },
            x.dims(),
        );
        let there = |x: Tensor<3>| match &absent {
            Some(absent) => x.mask_fill(absent.clone().expand(shape), 0.0),
            None => x,
        };
        let count = ones.sum_dim(1);
        let mean = there(x.clone()).sum_dim(1) / count.clone().clamp_min(1.0);
        let squares = there(x - mean.clone()).square().sum_dim(1);
        let variance = squares / (count - 1.0).clamp_min(1.0);
        MaskedRevInStatistics {
            mean,
            std: root(variance) + self.eps,
        }
    }

    /// The window without its level and scale.
    ///
    /// # Shapes
    /// - x and output: `[B, T, V]`
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[must_use]
    pub fn normalize(&self, x: Tensor<3>, statistics: &MaskedRevInStatistics) -> Tensor<3> {
        let y = (x - statistics.mean.clone()) / statistics.std.clone();
        y * self.gamma.val().unsqueeze() + self.beta.val().unsqueeze()
    }

    /// The way back of [`normalize`](Self::normalize).
    ///
    /// # Shapes
    /// - z and output: `[B, T', V]`, any length
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[must_use]
    pub fn denormalize(&self, z: Tensor<3>, statistics: &MaskedRevInStatistics) -> Tensor<3> {
        let z = (z - self.beta.val().unsqueeze()) / self.gamma.val().unsqueeze();
        z * statistics.std.clone() + statistics.mean.clone()
    }
}

/// `√x`, with the gradient 0 where `x` is 0: a variable that does not move has no scale to learn of.
fn root(x: Tensor<3>) -> Tensor<3> {
    let still = x.clone().equal_elem(0.0);
    x.mask_fill(still.clone(), 1.0).sqrt().mask_fill(still, 0.0)
}
