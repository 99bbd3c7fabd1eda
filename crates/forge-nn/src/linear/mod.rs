//! The linear layer, several side by side, and one with a weight of another make.

mod grouped_linear;
mod quantum_inspired_linear;

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};

use crate::config_macro::config;
pub use grouped_linear::{GroupedLinear, GroupedLinearConfig};
pub use quantum_inspired_linear::{QuantumInspiredLinear, QuantumInspiredLinearConfig};

use crate::ops::{self, LinearActivation};
use crate::{ForgeError, ModuleConfig, check};

config! {
    /// Recipe of a [`Linear`].
    pub struct LinearConfig {
        /// Input width, at least 1.
        pub d_input: usize,
        /// Output width, at least 1.
        pub d_output: usize,
        /// Learn a bias.
        #[config(default = true)]
        pub bias: bool,
        /// How the weight starts: uniform in `±1/√d_input`, as Burn's and PyTorch's linear layers.
        #[config(default = Initializer::KaimingUniform { gain: 1.0 / 3.0_f64.sqrt(), fan_out_only: false })]
        pub initializer: Initializer,
        /// How the bias starts, if not as the weight does.
        #[config(default = None)]
        pub bias_initializer: Option<Initializer>,
    }
}

/// A linear layer, `y = x W + b`, by [`ops::linear`]: product, bias and activation are one
/// operation, with a kernel where the device has one.
///
/// Parameters, their layout and their start are those of Burn's `Linear`, which does the same with
/// Burn's own operations.
///
/// ```
/// use forge_nn::burn::tensor::{Device, Tensor};
/// use forge_nn::{LinearConfig, ModuleConfig};
///
/// let device = Device::flex();
/// let layer = LinearConfig::new(3, 5).with_bias(false).init(&device);
/// let y = layer.forward(Tensor::<3>::ones([2, 7, 3], &device));
/// assert_eq!(y.dims(), [2, 7, 5]);
/// ```
#[derive(Module, Debug)]
pub struct Linear {
    /// `W`, `[D_in, D_out]` (the transpose of PyTorch's).
    pub weight: Param<Tensor<2>>,
    /// `b`, `[D_out]`.
    pub bias: Option<Param<Tensor<1>>>,
    d_input: usize,
    d_output: usize,
}

impl ModuleConfig for LinearConfig {
    type Module = Linear;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("d_input", self.d_input)?;
        check::at_least_one("d_output", self.d_output)
    }

    fn build(&self, device: &Device) -> Linear {
        let (from, to) = (self.d_input, self.d_output);
        let bias = self.bias_initializer.as_ref().unwrap_or(&self.initializer);
        Linear {
            weight: self
                .initializer
                .init_with([from, to], Some(from), Some(to), device),
            bias: self
                .bias
                .then(|| bias.init_with([to], Some(from), Some(to), device)),
            d_input: from,
            d_output: to,
        }
    }
}

impl Linear {
    /// A layer of its own with these values.
    ///
    /// # Shapes
    /// - weight: `[D_in, D_out]`
    /// - bias: `[D_out]`
    ///
    /// # Panics
    /// If the bias is of another width.
    #[must_use]
    pub fn from_values(weight: Tensor<2>, bias: Option<Tensor<1>>) -> Self {
        let [d_input, d_output] = weight.dims();
        if let Some(bias) = &bias {
            let width = bias.dims()[0];
            assert_eq!(
                width, d_output,
                "linear: bias of {width}, weight of {d_output} outputs"
            );
        }
        Self {
            weight: Param::from_tensor(weight.detach()),
            bias: bias.map(|bias| Param::from_tensor(bias.detach())),
            d_input,
            d_output,
        }
    }

    /// Applies the layer.
    ///
    /// # Shapes
    /// - x: `[.., D_in]`
    /// - output: `[.., D_out]`
    ///
    /// # Panics
    /// If the last axis is not the input width.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        self.forward_activated(x, LinearActivation::Identity)
    }

    /// `activation(x W + b)`, the activation applied while the product is in the cache.
    ///
    /// # Shapes
    /// - x: `[.., D_in]`
    /// - output: `[.., D_out]`
    ///
    /// # Panics
    /// If the last axis is not the input width.
    pub fn forward_activated<const D: usize>(
        &self,
        x: Tensor<D>,
        activation: LinearActivation,
    ) -> Tensor<D> {
        let bias = self.bias.as_ref().map(|bias| bias.val());
        ops::linear_activation(x, self.weight.val(), bias, activation)
    }

    /// Columns `start..start + length` of the output, without computing the others: for layers
    /// that keep several projections in one matrix.
    ///
    /// # Shapes
    /// - x: `[.., D_in]`
    /// - output: `[.., length]`
    ///
    /// # Panics
    /// If the last axis is not the input width or the columns are not there.
    pub fn forward_columns<const D: usize>(
        &self,
        x: Tensor<D>,
        start: usize,
        length: usize,
    ) -> Tensor<D> {
        let weight = self.weight.val().narrow(1, start, length);
        let bias = self.bias.as_ref();
        let bias = bias.map(|bias| bias.val().narrow(0, start, length));
        ops::linear(x, weight, bias)
    }

    /// Input width.
    #[must_use]
    pub fn d_input(&self) -> usize {
        self.d_input
    }

    /// Output width.
    #[must_use]
    pub fn d_output(&self) -> usize {
        self.d_output
    }
}
