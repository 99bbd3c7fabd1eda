//! Reversible instance normalisation.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};

use crate::config_macro::config;
use crate::ops::stop_gradient;
use crate::{ForgeError, ModuleConfig, check};

config! {
    /// Recipe of a [`RevIn`].
    pub struct RevInConfig {
        /// Variables of the series, at least 1.
        pub n_features: usize,
        /// Added to the variance inside the root; above 0.
        #[config(default = 1e-5)]
        pub eps: f64,
        /// Learn a scale and shift a variable on the normalised series.
        #[config(default = true)]
        pub affine: bool,
        /// Centre on the last value of the window instead of its mean.
        #[config(default = false)]
        pub subtract_last: bool,
    }
}

/// Reversible instance normalisation: removes each window's level and scale before a model and
/// gives them back to its forecast.
///
/// `norm(x) = (x - centre) / √(var + ε) · w + b`,
/// `denorm(z) = (z - b) / (w + ε²) · √(var + ε) + centre`, statistics per sample and variable over
/// time, biased variance.
///
/// Kim et al., ICLR 2022, equations (1) to (3), as in the authors' code: mean and deviation are
/// constants for the gradient (the last value, where it is the centre, is not), the deviation is
/// around the mean in either case, and denormalising divides by `w + ε²`, so with an affine
/// `denorm(norm(x))` differs from `x` by about `ε²`.
///
/// The form gated by a Lite Gate Unit is [`GatedInstanceNorm`](crate::gating::GatedInstanceNorm).
///
/// ```
/// use forge_nn::ModuleConfig;
/// use forge_nn::burn::tensor::{Device, Tensor};
/// use forge_nn::norm::RevInConfig;
///
/// let device = Device::flex();
/// let revin = RevInConfig::new(1).init(&device);
/// let window = Tensor::<3>::from_data([[[99.0], [100.0], [101.0]]], &device);
/// let (normalized, statistics) = revin.normalize(window);
/// // A model that forecasts the mean in normalised units forecasts 100.
/// let forecast = revin.denormalize(normalized.mean_dim(1), &statistics);
/// assert!((forecast.into_scalar::<f32>() - 100.0).abs() < 1e-3);
/// ```
#[derive(Module, Debug)]
pub struct RevIn {
    /// `w`, `[F]`, from ones.
    pub affine_weight: Option<Param<Tensor<1>>>,
    /// `b`, `[F]`, from zeros.
    pub affine_bias: Option<Param<Tensor<1>>>,
    eps: f64,
    subtract_last: bool,
}

/// What [`RevIn::normalize`] took out of a window.
#[derive(Debug, Clone)]
pub struct RevInStatistics {
    /// Mean, or last value, `[B, 1, F]`.
    pub centre: Tensor<3>,
    /// `√(var + ε)`, `[B, 1, F]`.
    pub deviation: Tensor<3>,
}

impl ModuleConfig for RevInConfig {
    type Module = RevIn;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("n_features", self.n_features)?;
        check::positive("eps", self.eps)
    }

    fn build(&self, device: &Device) -> RevIn {
        let shape = [self.n_features];
        RevIn {
            affine_weight: self.affine.then(|| Initializer::Ones.init(shape, device)),
            affine_bias: self.affine.then(|| Initializer::Zeros.init(shape, device)),
            eps: self.eps,
            subtract_last: self.subtract_last,
        }
    }
}

impl RevIn {
    /// The normalised window and what it takes to undo it.
    ///
    /// # Shapes
    /// - input and output: `[B, T, F]`
    ///
    /// # Panics
    /// If the last axis is not `n_features` or the window is empty.
    pub fn normalize(&self, x: Tensor<3>) -> (Tensor<3>, RevInStatistics) {
        let time = x.dims()[1];
        let constant = stop_gradient(x.clone());
        // The mean of differences to the first value: of a window of equal values it is exactly 0,
        // where that of the values is rounded to their size and divided by a deviation near 0.
        let first = constant.clone().narrow(1, 0, 1);
        let shifted = constant - first.clone();
        let shift = shifted.clone().mean_dim(1);
        let var = (shifted - shift.clone()).square().mean_dim(1);
        let deviation = (var + self.eps).sqrt();
        let centre = if self.subtract_last {
            x.clone().narrow(1, time - 1, 1)
        } else {
            first + shift
        };
        let mut y = (x - centre.clone()) / deviation.clone();
        if let (Some(weight), Some(bias)) = (&self.affine_weight, &self.affine_bias) {
            y = y * weight.val().unsqueeze() + bias.val().unsqueeze();
        }
        (y, RevInStatistics { centre, deviation })
    }

    /// Gives a forecast the level and scale of the window it was made from.
    ///
    /// # Shapes
    /// - input and output: `[B, T', F]`, any length
    ///
    /// # Panics
    /// If batch or variables are not those of the statistics.
    pub fn denormalize(&self, z: Tensor<3>, statistics: &RevInStatistics) -> Tensor<3> {
        let mut z = z;
        if let (Some(weight), Some(bias)) = (&self.affine_weight, &self.affine_bias) {
            let weight = weight.val() + self.eps * self.eps;
            z = (z - bias.val().unsqueeze()) / weight.unsqueeze();
        }
        z * statistics.deviation.clone() + statistics.centre.clone()
    }

    /// What [`denormalize`](Self::denormalize) multiplies by, and then adds: for outputs that are
    /// not all treated alike (steps between quantiles take the factor's size alone, since `w` may
    /// be negative).
    ///
    /// # Shapes
    /// - both: `[B, 1, F]`
    #[must_use]
    pub fn factor_and_offset(&self, statistics: &RevInStatistics) -> (Tensor<3>, Tensor<3>) {
        let (mut factor, mut offset) = (statistics.deviation.clone(), statistics.centre.clone());
        if let (Some(weight), Some(bias)) = (&self.affine_weight, &self.affine_bias) {
            let weight = weight.val() + self.eps * self.eps;
            factor = factor / weight.unsqueeze();
            offset = offset - factor.clone() * bias.val().unsqueeze();
        }
        (factor, offset)
    }
}
