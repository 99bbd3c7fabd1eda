//! Targets of labelled rows as vectors.

use burn::tensor::{Int, Tensor};
use forge_nn::Linear;

/// A linear map of the target, or of its class as one of `classes` (0: numbers).
///
/// # Shapes
/// - target: `[R, 1]`
/// - output: `[R, D]`
pub(super) fn embed(encoder: &Linear, target: Tensor<2>, classes: usize) -> Tensor<2> {
    if classes == 0 {
        return encoder.forward(target);
    }
    let (rows, device, dtype) = (target.dims()[0], target.device(), target.dtype());
    let shape = [rows, classes];
    let class = Tensor::<1, Int>::arange(0..classes as i64, &device).float();
    let class = class.cast(dtype).unsqueeze::<2>().expand(shape);
    let is = target.expand(shape).equal(class);
    encoder.forward(Tensor::zeros(shape, (&device, dtype)).mask_fill(is, 1.0))
}

/// An encoder for the first `classes` classes of one that knows more.
pub(super) fn fewer(encoder: &Linear, classes: usize) -> Linear {
    let bias = encoder.bias.as_ref().map(|bias| bias.val());
    Linear::from_values(encoder.weight.val().narrow(0, 0, classes), bias)
}
