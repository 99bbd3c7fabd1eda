//! Weights in half precision in the file, and in f32 everywhere else.

use burn::tensor::DType;
use forge_nn::ForgeError;
use forge_train::precision::Precision;

use super::Tensors;

/// The tensors as a file in `precision` has them: matrices in it, vectors (biases, norms, batch
/// statistics) in f32, which take next to nothing and may be large or small.
///
/// # Errors
/// A weights error naming a tensor with a value that the type does not reach.
pub(super) fn shortened(tensors: Tensors, precision: Precision) -> Result<Tensors, ForgeError> {
    if !precision.is_half() {
        return Ok(tensors);
    }
    let short = |(name, data): (String, burn::tensor::TensorData)| {
        if data.shape().len() < 2 || data.dtype() != DType::F32 {
            return Ok((name, data));
        }
        let data = data.convert_dtype(precision.dtype());
        let is_finite = data.iter::<f32>().all(f32::is_finite);
        match is_finite {
            true => Ok((name, data)),
            false => Err(ForgeError::weights(format!(
                "{name} has a value beyond 65504, the largest of f16: save in bf16 or f32"
            ))),
        }
    };
    tensors.into_iter().map(short).collect()
}

/// The tensors of a file, all in f32.
pub(super) fn lengthened(tensors: Tensors) -> Result<Tensors, String> {
    let long = |(name, data): (String, burn::tensor::TensorData)| match data.dtype() {
        DType::F32 => Ok((name, data)),
        DType::F16 | DType::BF16 => Ok((name, data.convert_dtype(DType::F32))),
        dtype => Err(format!("{name} is {dtype:?}, expected F32, F16 or BF16")),
    };
    tensors.into_iter().map(long).collect()
}
