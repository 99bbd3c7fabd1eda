//! A layer in neural tangent parametrisation.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Distribution, Int, Tensor};
use forge_nn::ops;
use forge_nn::parameters::replace_value;

use super::RealMlpConfig;
use super::options::{BiasInit, WeightInit};

/// Training rows whose pre-activations a bias starts from.
const MIXED: usize = 5;

/// `y = x W / √D_in + b`: weights are of size 1 whatever the width, so that one learning rate suits
/// all layers.
///
/// Jacot et al. 2018 (arXiv 1806.07572); Holzmüller et al. 2024 (arXiv 2407.04491), section 3.
#[derive(Module, Debug)]
pub struct NtkLinear {
    /// `W`, `[D_in, D_out]`.
    pub weight: Param<Tensor<2>>,
    /// `b`, `[1, D_out]`.
    pub bias: Param<Tensor<2>>,
    d_input: usize,
    d_output: usize,
}

impl NtkLinear {
    /// Weights and biases from the standard normal distribution.
    pub(super) fn new(d_input: usize, d_output: usize, device: &Device) -> Self {
        let normal = Initializer::Normal {
            mean: 0.0,
            std: 1.0,
        };
        Self {
            weight: normal.init([d_input, d_output], device),
            bias: normal.init([1, d_output], device),
            d_input,
            d_output,
        }
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

    /// # Shapes
    /// - x: `[B, D_in]`
    /// - output: `[B, D_out]`
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let bias = self.bias.val().reshape([self.d_output]);
        // Fewer numbers than the batch has, mostly.
        let weight = self.weight.val() * self.factor();
        ops::linear(x, weight, Some(bias))
    }

    fn factor(&self) -> f64 {
        (self.d_input as f64).sqrt().recip()
    }

    /// Starts from what the layer is given of training rows. With [`WeightInit::Std`] every column of
    /// the weight is divided by the deviation of its pre-activation over the rows; with
    /// [`BiasInit::HePlus5`] a bias is minus a random convex mixture of the pre-activations of five
    /// rows, so that its unit bends where rows are.
    ///
    /// # Shapes
    /// - x: `[N, D_in]`, without autodiff
    pub(super) fn started(mut self, x: &Tensor<2>, config: &RealMlpConfig) -> Self {
        let device = x.device();
        let factor = self.factor();
        if config.weight_init_mode == WeightInit::Std {
            self.weight = replace_value(self.weight, |weight| {
                let z = (x.clone() * factor).matmul(weight.clone());
                let centred = z.clone() - z.mean_dim(0);
                let deviation = centred.square().mean_dim(0).sqrt();
                // A unit that sees no difference between rows keeps its size.
                let constant = deviation.clone().lower_equal_elem(1e-12);
                weight / deviation.mask_fill(constant, 1.0)
            });
        }
        if config.bias_init_mode == BiasInit::HePlus5 {
            let z = (x.clone() * factor).matmul(self.weight.val().without_autodiff());
            self.bias = replace_value(self.bias, |bias| {
                mixture(&z, &device).cast(bias.dtype()).neg()
            });
        }
        self
    }
}

/// For every column, a convex mixture of [`MIXED`] of its values, drawn with equal probabilities;
/// the weights are uniform on the simplex.
///
/// # Shapes
/// - z: `[N, D]`
/// - output: `[1, D]`
fn mixture(z: &Tensor<2>, device: &Device) -> Tensor<2> {
    let [rows, width] = z.dims();
    let uniform = || Tensor::<2>::random([MIXED, width], Distribution::Uniform(0.0, 1.0), device);
    let chosen: Tensor<2, Int> = (uniform() * rows as f64)
        .floor()
        .clamp_max((rows - 1) as f64)
        .int();
    // Exponential variables over their sum.
    let share = (uniform().neg() + 1.0).clamp_min(1e-30).log().neg();
    let share = share.clone() / share.sum_dim(0).clamp_min(1e-30);
    (z.clone().gather(0, chosen) * share.cast(z.dtype())).sum_dim(0)
}
