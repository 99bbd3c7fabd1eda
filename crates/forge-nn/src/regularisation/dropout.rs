//! Dropout.

use burn::module::{Flag, Module, Param};
use burn::tensor::{Device, Tensor};

use super::dropout_factor;
use crate::config_macro::config;
use crate::{ForgeError, ModuleConfig, check, ops, training_flag};

config! {
    /// Recipe of a [`Dropout`].
    pub struct DropoutConfig {
        /// Probability that an element becomes zero, in `[0, 1)`.
        pub rate: f64,
    }
}

/// Zeroes elements at random and divides the others by the probability of staying, so that the
/// expectation stays.
///
/// It acts in [`Mode::Train`](crate::Mode::Train) and [`Mode::Sample`](crate::Mode::Sample), by
/// [`ops::dropout`], whose mask is stored nowhere. Masks follow the seed of the device.
///
/// Srivastava et al., "Dropout", JMLR 15 (2014), section 10 (scaling while training).
#[derive(Module, Debug)]
pub struct Dropout {
    /// Whether elements may be dropped.
    pub training: Param<Flag>,
    rate: f64,
}

impl ModuleConfig for DropoutConfig {
    type Module = Dropout;

    fn validate(&self) -> Result<(), ForgeError> {
        check::probability("rate", self.rate)
    }

    fn build(&self, device: &Device) -> Dropout {
        Dropout {
            training: training_flag(device),
            rate: self.rate,
        }
    }
}

impl Dropout {
    /// Drops elements of `x`.
    ///
    /// # Shapes
    /// - input and output: any
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        ops::dropout(x, self.rate())
    }

    /// `residual + dropout(x)` in one pass: the end of a residual branch.
    ///
    /// # Shapes
    /// - x, residual and output: the same, any
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn residual<const D: usize>(&self, x: Tensor<D>, residual: Tensor<D>) -> Tensor<D> {
        ops::dropout_residual(x, residual, self.rate())
    }

    /// The rate that applies now, for operations with the dropout inside: 0 while the layer rests,
    /// times the factor of [`with_dropout_factor`](super::with_dropout_factor) within it.
    #[must_use]
    pub fn rate(&self) -> f64 {
        match self.training.is_enabled() {
            true => self.rate * dropout_factor::factor(),
            false => 0.0,
        }
    }
}
