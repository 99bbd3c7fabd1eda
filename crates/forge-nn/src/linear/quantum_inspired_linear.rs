//! A linear layer with a superposition of weights.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};

use crate::config_macro::config;
use crate::{ForgeError, ModuleConfig, check, ops};

config! {
    /// Recipe of a [`QuantumInspiredLinear`].
    pub struct QuantumInspiredLinearConfig {
        /// Input width, at least 1.
        pub d_input: usize,
        /// Output width, at least 1.
        pub d_output: usize,
        /// Basis weights in the superposition, at least 1.
        #[config(default = 4)]
        pub n_basis: usize,
        /// Learn a bias.
        #[config(default = true)]
        pub bias: bool,
    }
}

/// A linear layer whose weight is a superposition of basis weights, modulated by the cosine of
/// learnable phases.
///
/// `W = Σ_j softmax(m)_j · cos(φ_j) · B_j`, `y = x W + b`.
///
/// With `n = d_input · d_output` weights and `k` bases the superposition costs `O(n·k)` once per
/// call, whatever the batch; the product with `x` costs what a plain layer's does. There is no
/// quantum computing in it: it is an over-parametrised linear layer.
///
/// The formula is that of `QuantumInspiredLinear` as found in public PyTorch code; no paper defines
/// it. Two departures. The phases there start at 0, where the cosine has no slope, so they would
/// never move: here they start uniformly in ±π/4. The bases there start with a fixed deviation of
/// 0.02: here with `√(k / (3 d_input))`, which gives `W` the variance of PyTorch's linear layer
/// (up to the phases' cosine). It has no bias there.
#[derive(Module, Debug)]
pub struct QuantumInspiredLinear {
    /// `B`, `[k, D_in, D_out]`.
    pub basis_weights: Param<Tensor<3>>,
    /// `m`, `[k]`, from zeros: an even mixture.
    pub mixing: Param<Tensor<1>>,
    /// `φ`, `[k]`, in radians.
    pub phases: Param<Tensor<1>>,
    /// `b`, `[D_out]`, from zeros.
    pub bias: Option<Param<Tensor<1>>>,
}

impl ModuleConfig for QuantumInspiredLinearConfig {
    type Module = QuantumInspiredLinear;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("d_input", self.d_input)?;
        check::at_least_one("d_output", self.d_output)?;
        check::at_least_one("n_basis", self.n_basis)
    }

    fn build(&self, device: &Device) -> QuantumInspiredLinear {
        let std = (self.n_basis as f64 / (3.0 * self.d_input as f64)).sqrt();
        let quarter = std::f64::consts::FRAC_PI_4;
        let phases = Initializer::Uniform {
            min: -quarter,
            max: quarter,
        };
        QuantumInspiredLinear {
            basis_weights: Initializer::Normal { mean: 0.0, std }
                .init([self.n_basis, self.d_input, self.d_output], device),
            mixing: Initializer::Zeros.init([self.n_basis], device),
            phases: phases.init([self.n_basis], device),
            bias: self
                .bias
                .then(|| Initializer::Zeros.init([self.d_output], device)),
        }
    }
}

impl QuantumInspiredLinear {
    /// The superposition `W`.
    ///
    /// # Shapes
    /// - output: `[D_in, D_out]`
    #[must_use]
    pub fn weight(&self) -> Tensor<2> {
        let basis = self.basis_weights.val();
        let [bases, from, to] = basis.dims();
        let amplitudes = softmax(self.mixing.val(), 0) * self.phases.val().cos();
        let flat = basis.reshape([bases, from * to]);
        amplitudes
            .reshape([1, bases])
            .matmul(flat)
            .reshape([from, to])
    }

    /// Applies the layer.
    ///
    /// # Shapes
    /// - input: `[.., D_in]`
    /// - output: `[.., D_out]`
    ///
    /// # Panics
    /// If the last axis is not `d_input`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        ops::linear(x, self.weight(), self.bias.as_ref().map(|bias| bias.val()))
    }
}
