//! A choice that gradients flow through.

use burn::tensor::activation::softmax;
use burn::tensor::{Device, Distribution, Tensor};
use forge_nn::ops::stop_gradient;
use forge_nn::{ForgeError, check};

/// A draw from a categorical distribution over the last axis, relaxed: `softmax((logits + g) / τ)`
/// with Gumbel noise `g`. `hard` gives the one-hot choice with the gradient of the relaxed one.
///
/// Jang, Gu & Poole, arXiv 1611.01144, eq. 2.
///
/// # Shapes
/// - logits, noise and output: `[B, C]`
///
/// # Errors
/// A config error if the temperature is not above 0.
pub fn gumbel_softmax(
    logits: Tensor<2>,
    noise: Tensor<2>,
    temperature: f64,
    hard: bool,
) -> Result<Tensor<2>, ForgeError> {
    check::positive("temperature", temperature)?;
    let soft = softmax((logits + noise) * (1.0 / temperature), 1);
    if !hard {
        return Ok(soft);
    }
    let [rows, width] = soft.dims();
    let best = soft.clone().argmax(1);
    let places = Tensor::arange(0..width as i64, &soft.device()).reshape([1, width]);
    let chosen = places
        .expand([rows, width])
        .equal(best.expand([rows, width]));
    let chosen = chosen.float().cast(soft.dtype());
    Ok(stop_gradient(chosen - soft.clone()) + soft)
}

/// Noise for [`gumbel_softmax`]: `-log(-log u)`, in the device's float type.
///
/// # Shapes
/// - output: as asked for
#[must_use]
pub fn gumbel_noise(shape: [usize; 2], device: &Device) -> Tensor<2> {
    // Not 0, whose logarithm is not finite.
    let uniform = Distribution::Uniform(1e-7, 1.0 - 1e-7);
    Tensor::random(shape, uniform, device)
        .log()
        .neg()
        .log()
        .neg()
}
