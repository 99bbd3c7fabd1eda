//! Sinusoidal positions.

use burn::module::Module;
use burn::tensor::{DType, Device, Tensor, TensorData};

use crate::config_macro::config;
use crate::{ForgeError, ModuleConfig, check};

config! {
    /// Recipe of a [`SinusoidalPositions`].
    pub struct SinusoidalPositionsConfig {
        /// Width of a token, at least 1; odd widths end with a sine.
        pub d_model: usize,
        /// Base of the wave lengths, above 0.
        #[config(default = 10000.0)]
        pub max_period: f64,
    }
}

/// Fixed sinusoidal positions, for sequences of any length:
/// `PE(p, 2i) = sin(p / P^(2i/D))`, `PE(p, 2i+1) = cos(p / P^(2i/D))`.
///
/// Vaswani et al., arXiv 1706.03762, section 3.5. Computed in f64 whatever the tensor's type.
#[derive(Module, Debug)]
pub struct SinusoidalPositions {
    d_model: usize,
    max_period: f64,
}

impl ModuleConfig for SinusoidalPositionsConfig {
    type Module = SinusoidalPositions;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("d_model", self.d_model)?;
        check::positive("max_period", self.max_period)
    }

    fn build(&self, _device: &Device) -> SinusoidalPositions {
        SinusoidalPositions {
            d_model: self.d_model,
            max_period: self.max_period,
        }
    }
}

impl SinusoidalPositions {
    /// The codes of positions `offset..offset + length`.
    ///
    /// # Shapes
    /// - output: `[T, D]`
    #[must_use]
    pub fn encode(&self, offset: usize, length: usize, device: &Device, dtype: DType) -> Tensor<2> {
        let width = self.d_model;
        let code = |position: usize, feature: usize| {
            let exponent = 2.0 * (feature / 2) as f64 / width as f64;
            let angle = position as f64 * self.max_period.powf(-exponent);
            if feature.is_multiple_of(2) {
                angle.sin()
            } else {
                angle.cos()
            }
        };
        let values: Vec<f64> = (offset..offset + length)
            .flat_map(|position| (0..width).map(move |feature| code(position, feature)))
            .collect();
        Tensor::from_data(TensorData::new(values, [length, width]), (device, dtype))
    }

    /// `x` plus the codes of positions `offset`, `offset + 1`, …
    ///
    /// # Shapes
    /// - input and output: `[B, T, D]`
    ///
    /// # Panics
    /// If the last axis is not `d_model`.
    pub fn forward(&self, x: Tensor<3>, offset: usize) -> Tensor<3> {
        let code = self.encode(offset, x.dims()[1], &x.device(), x.dtype());
        x + code.unsqueeze()
    }
}
