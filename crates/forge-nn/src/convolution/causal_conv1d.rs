//! Each channel's own short filter over the past.

use crate::ops::causal_conv1d;
use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};

use crate::config_macro::config;
use crate::{ForgeError, ModuleConfig, check};

config! {
    /// Recipe of a [`CausalConv1d`].
    pub struct CausalConv1dConfig {
        /// Number of channels, at least 1.
        pub channels: usize,
        /// Tokens that the filter sees, the present one among them; at least 1.
        pub kernel_size: usize,
        /// Learn a bias.
        #[config(default = true)]
        pub bias: bool,
    }
}

/// A depthwise convolution that sees no later token: `y_t = b + Σ_j w_j x_{t-K+1+j}` per channel, with
/// zeros before the first token. The sequence may be shorter than the filter.
///
/// PyTorch's `Conv1d(C, C, K, groups=C, padding=K-1)`, cut to the length of the input, and its start:
/// uniform in `±1/√K`.
///
/// ```
/// use forge_nn::ModuleConfig;
/// use forge_nn::burn::tensor::{Device, Tensor};
/// use forge_nn::convolution::CausalConv1dConfig;
///
/// let device = Device::flex();
/// let layer = CausalConv1dConfig::new(3, 4).init(&device);
/// let x = Tensor::<3>::ones([2, 5, 3], &device);
/// let whole = layer.forward(x.clone());
/// let (first, _) = layer.step(x.narrow(1, 0, 1).squeeze_dim(1), None);
/// assert_eq!(first.into_data(), whole.narrow(1, 0, 1).squeeze_dim::<2>(1).into_data());
/// ```
#[derive(Module, Debug)]
pub struct CausalConv1d {
    /// `w`, `[C, 1, K]`, the last tap on the present token.
    pub weight: Param<Tensor<3>>,
    /// `b`, `[C]`.
    pub bias: Option<Param<Tensor<1>>>,
    channels: usize,
    kernel_size: usize,
}

impl CausalConv1dConfig {
    /// Number of trainable parameters.
    #[must_use]
    pub fn parameter_count(&self) -> usize {
        self.channels * (self.kernel_size + usize::from(self.bias))
    }
}

impl ModuleConfig for CausalConv1dConfig {
    type Module = CausalConv1d;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("channels", self.channels)?;
        check::at_least_one("kernel_size", self.kernel_size)
    }

    fn build(&self, device: &Device) -> CausalConv1d {
        let bound = 1.0 / (self.kernel_size as f64).sqrt();
        let start = Initializer::Uniform {
            min: -bound,
            max: bound,
        };
        CausalConv1d {
            weight: start.init([self.channels, 1, self.kernel_size], device),
            bias: self.bias.then(|| start.init([self.channels], device)),
            channels: self.channels,
            kernel_size: self.kernel_size,
        }
    }
}

impl CausalConv1d {
    /// Number of channels, `C`.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Applies the filters.
    ///
    /// # Shapes
    /// - x, output: `[B, T, C]`
    ///
    /// # Panics
    /// If x does not have the layer's channels.
    #[must_use]
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.assert_channels(&x);
        let bias = self.bias.as_ref().map(|bias| bias.val());
        causal_conv1d(x, self.weight.val(), bias)
    }

    /// What the first token of `batch` sequences finds: zeros, or nothing where a filter sees its own token alone.
    ///
    /// # Shapes
    /// - output: `[B, K - 1, C]`
    #[must_use]
    pub fn start(&self, batch: usize, device: &Device) -> Option<Tensor<3>> {
        let options = (device, self.weight.val().dtype());
        let shape = [batch, self.kernel_size - 1, self.channels];
        (self.kernel_size > 1).then(|| Tensor::zeros(shape, options))
    }

    /// The next tokens of sequences, and what the ones after them need of the past, [`start`](Self::start)
    /// before the first token (as is `None`).
    ///
    /// # Shapes
    /// - x, output: `[B, T, C]`
    /// - past: `[B, K - 1, C]`
    ///
    /// # Panics
    /// If x does not have the layer's channels or the past is another's.
    #[must_use]
    pub fn steps(&self, x: Tensor<3>, past: Option<Tensor<3>>) -> (Tensor<3>, Option<Tensor<3>>) {
        let [batch, time, _] = self.assert_channels(&x);
        let kept = self.kernel_size - 1;
        let shape = [batch, kept, self.channels];
        if let Some(past) = &past {
            let found = past.dims();
            assert!(found == shape, "the past is {found:?}, expected {shape:?}");
        }
        if kept == 0 {
            return (self.forward(x), None);
        }
        let options = (&x.device(), x.dtype());
        let past = past.unwrap_or_else(|| Tensor::zeros(shape, options));
        let seen = Tensor::cat(vec![past, x], 1);
        let y = self.forward(seen.clone()).narrow(1, kept, time);
        (y, Some(seen.narrow(1, time, kept)))
    }

    /// One token of each sequence: [`steps`](Self::steps) of one.
    ///
    /// # Shapes
    /// - x, output: `[B, C]`
    ///
    /// # Panics
    /// As there.
    #[must_use]
    pub fn step(&self, x: Tensor<2>, past: Option<Tensor<3>>) -> (Tensor<2>, Option<Tensor<3>>) {
        let (y, past) = self.steps(x.unsqueeze_dim(1), past);
        (y.squeeze_dim(1), past)
    }

    fn assert_channels(&self, x: &Tensor<3>) -> [usize; 3] {
        let shape = x.dims();
        assert!(
            shape[2] == self.channels,
            "x {shape:?} does not have the {} channels of the convolution",
            self.channels
        );
        shape
    }
}
