//! Views that put a small tensor on the right axes of a large one.

use burn::tensor::Tensor;

/// `[C]` as `[1, C, 1, …]`: one value per channel, channels on axis 1.
pub(crate) fn along_channels<const D: usize>(values: Tensor<1>) -> Tensor<D> {
    let [channels] = values.dims();
    let mut shape = [1; D];
    shape[1] = channels;
    values.reshape(shape)
}

/// `[B, C]` as `[B, 1, …, C]`: one row per sample, features on the last axis.
pub(crate) fn along_features<const D: usize>(values: Tensor<2>) -> Tensor<D> {
    let [samples, features] = values.dims();
    let mut shape = [1; D];
    shape[0] = samples;
    shape[D - 1] = features;
    values.reshape(shape)
}

/// `[B, C]` as `[B, C, 1, …]`: one row per sample, channels on axis 1.
pub(crate) fn along_sample_channels<const D: usize>(values: Tensor<2>) -> Tensor<D> {
    let [samples, channels] = values.dims();
    let mut shape = [1; D];
    shape[0] = samples;
    shape[1] = channels;
    values.reshape(shape)
}
