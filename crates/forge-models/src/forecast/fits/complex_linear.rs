//! A linear map of complex numbers.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use forge_nn::parameters::KeyMap;
use forge_nn::{LinearConfig, ModuleConfig};

/// `y = x W + b` of complex numbers, held as their real and imaginary parts.
///
/// Begins as PyTorch's `nn.Linear(…).to(torch.cfloat)`: a real map, every imaginary part 0.
#[derive(Module, Debug)]
pub struct ComplexLinear {
    /// `Re W`, `[D_in, D_out]`.
    pub weight_real: Param<Tensor<2>>,
    /// `Im W`, `[D_in, D_out]`.
    pub weight_imag: Param<Tensor<2>>,
    /// `Re b`, `[D_out]`.
    pub bias_real: Param<Tensor<1>>,
    /// `Im b`, `[D_out]`.
    pub bias_imag: Param<Tensor<1>>,
}

impl ComplexLinear {
    pub(super) fn new(from: usize, to: usize, device: &Device) -> Self {
        let zeros = || Param::from_tensor(Tensor::zeros([to], device));
        let real = LinearConfig::new(from, to).init(device);
        Self {
            weight_real: real.weight,
            weight_imag: Param::from_tensor(Tensor::zeros([from, to], device)),
            bias_real: real.bias.unwrap_or_else(zeros),
            bias_imag: zeros(),
        }
    }

    /// # Shapes
    /// - x: `[B, N, 2·D_in]`, the real parts before the imaginary ones
    /// - output: `[B, N, 2·D_out]`, likewise
    pub(super) fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let (real, imag) = (self.weight_real.val(), self.weight_imag.val());
        // (Re x, Im x) times this is (Re x W, Im x W).
        let of_real = Tensor::cat(vec![real.clone(), imag.clone()], 1);
        let of_imag = Tensor::cat(vec![-imag, real], 1);
        let weight = Tensor::cat(vec![of_real, of_imag], 0);
        let bias = Tensor::cat(vec![self.bias_real.val(), self.bias_imag.val()], 0);
        x.matmul(weight.unsqueeze()) + bias.unsqueeze()
    }

    /// Values of one: two to a complex number.
    pub(super) fn parameter_count(from: usize, to: usize) -> usize {
        2 * (from + 1) * to
    }

    /// The reference's complex `theirs.weight` and `theirs.bias`, each as two tensors, `.real` and
    /// `.imag`.
    pub(super) fn key_map(map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
        ["real", "imag"].iter().fold(map, |map, part| {
            map.transposed(
                &format!("{ours}.weight_{part}"),
                &format!("{theirs}.weight.{part}"),
            )
            .same(
                &format!("{ours}.bias_{part}"),
                &format!("{theirs}.bias.{part}"),
            )
        })
    }
}
