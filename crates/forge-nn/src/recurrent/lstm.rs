//! Long short-term memory.

use burn::module::Module;
use burn::nn::Initializer;
use burn::tensor::activation::{sigmoid, tanh};
use burn::tensor::{Device, Tensor};

use crate::carried;
use crate::config_macro::config;
use crate::{ForgeError, Linear, LinearConfig, ModuleConfig, check, ops};

config! {
    /// Recipe of an [`Lstm`].
    pub struct LstmConfig {
        /// Width of the input, at least 1.
        pub d_input: usize,
        /// Width of the state, at least 1.
        pub d_hidden: usize,
        /// How weights and biases start, if not as PyTorch's: uniform in `±1/√d_hidden`.
        #[config(default = None)]
        pub initializer: Option<Initializer>,
    }
}

/// One layer of long short-term memory:
///
/// ```text
/// i, f, g, o = W x_t + b + U h_{t-1} + b'
/// c_t = σ(f) c_{t-1} + σ(i) tanh(g)     h_t = σ(o) tanh(c_t)
/// ```
///
/// Hochreiter and Schmidhuber 1997 with the forget gate of Gers et al. 2000; gates, their order and
/// both biases as in PyTorch's `nn.LSTM`. Burn's keeps each gate's weights apart and makes eight
/// products per step; here the inputs of all steps are one product before the first step.
///
/// ```
/// use forge_nn::ModuleConfig;
/// use forge_nn::burn::tensor::{Device, Tensor};
/// use forge_nn::recurrent::{LstmConfig, LstmState};
///
/// let device = Device::flex();
/// let layer = LstmConfig::new(3, 5).init(&device);
/// let x = Tensor::<3>::ones([2, 7, 3], &device);
/// let (y, last) = layer.forward(x.clone(), LstmState::zeros(2, 5, &x));
/// assert_eq!(y.dims(), [2, 7, 5]);
/// assert_eq!(last.hidden.dims(), [2, 5]);
/// ```
#[derive(Module, Debug)]
pub struct Lstm {
    /// `W` and `b`, `[D_in, 4 D]`, the gates in the order i, f, g, o.
    pub input: Linear,
    /// `U` and `b'`, `[D, 4 D]`.
    pub hidden: Linear,
    width: usize,
}

/// What an [`Lstm`] keeps from one step to the next, `[B, D]` each.
#[derive(Debug, Clone)]
pub struct LstmState {
    /// `h`, the output of the last step.
    pub hidden: Tensor<2>,
    /// `c`, the memory.
    pub cell: Tensor<2>,
}

impl LstmState {
    /// Nothing remembered, with the device and element type of `like`.
    #[must_use]
    pub fn zeros<const D: usize>(batch: usize, width: usize, like: &Tensor<D>) -> Self {
        let zeros = Tensor::zeros([batch, width], (&like.device(), like.dtype()));
        Self {
            hidden: zeros.clone(),
            cell: zeros,
        }
    }
}

carried!(LstmState { hidden, cell });

impl LstmConfig {
    /// Number of trainable parameters.
    #[must_use]
    pub fn parameter_count(&self) -> usize {
        4 * self.d_hidden * (self.d_input + self.d_hidden + 2)
    }
}

impl ModuleConfig for LstmConfig {
    type Module = Lstm;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("d_input", self.d_input)?;
        check::at_least_one("d_hidden", self.d_hidden)
    }

    fn build(&self, device: &Device) -> Lstm {
        let bound = 1.0 / (self.d_hidden as f64).sqrt();
        let uniform = Initializer::Uniform {
            min: -bound,
            max: bound,
        };
        let start = self.initializer.clone().unwrap_or(uniform);
        let linear = |from| {
            LinearConfig::new(from, 4 * self.d_hidden)
                .with_initializer(start.clone())
                .init(device)
        };
        Lstm {
            input: linear(self.d_input),
            hidden: linear(self.d_hidden),
            width: self.d_hidden,
        }
    }
}

impl Lstm {
    /// Width of the state, `D`.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// One step.
    ///
    /// # Shapes
    /// - x: `[B, D_in]`
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[must_use]
    pub fn step(&self, x: Tensor<2>, state: LstmState) -> LstmState {
        let gates = self.input.forward(x) + self.hidden.forward(state.hidden);
        let [input, forget, fresh, output] = ops::parts(gates, 1, [self.width; 4]);
        let fresh = sigmoid(input) * tanh(fresh);
        let cell = sigmoid(forget) * state.cell + fresh;
        LstmState {
            hidden: sigmoid(output) * tanh(cell.clone()),
            cell,
        }
    }

    /// A whole sequence from `state`: the outputs of all steps, and what is remembered after the
    /// last.
    ///
    /// # Shapes
    /// - x: `[B, T, D_in]`, `T` at least 1
    /// - output: `[B, T, D]`
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[must_use]
    pub fn forward(&self, x: Tensor<3>, state: LstmState) -> (Tensor<3>, LstmState) {
        let time = x.dims()[1];
        // Both biases are added once for all steps.
        let bias = match (&self.input.bias, &self.hidden.bias) {
            (Some(input), Some(hidden)) => Some(input.val() + hidden.val()),
            _ => None,
        };
        let gates = ops::linear(x, self.input.weight.val(), bias);
        let all = ops::lstm(gates, self.hidden.weight.val(), state.hidden, state.cell);
        let [outputs, cell] = ops::parts(all, 1, [time, 1]);
        let state = LstmState {
            hidden: outputs.clone().narrow(1, time - 1, 1).squeeze_dim(1),
            cell: cell.squeeze_dim(1),
        };
        (outputs, state)
    }
}
