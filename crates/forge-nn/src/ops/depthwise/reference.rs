//! The convolution by Burn's operations.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata};
use burn::tensor::ops::ConvOptions;

use crate::ops::expression::Expr;

/// As many groups as channels, and a padding that keeps the length.
fn options(weight: &impl TensorMetadata) -> ConvOptions<1> {
    let shape = weight.shape();
    ConvOptions::new([1], [shape[2] / 2], [1], shape[0])
}

pub(super) fn forward<B: Backend>(x: FloatTensor<B>, weight: FloatTensor<B>) -> FloatTensor<B> {
    if x.shape().contains(&0) {
        return x;
    }
    let options = options(&weight);
    B::conv1d(x, weight, None, options)
}

pub(super) fn backward<B: Backend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    dy: FloatTensor<B>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    if x.shape().contains(&0) {
        let weight = Expr::<B>(weight);
        return (dy, weight.zeros_like(weight.shape()).0);
    }
    let options = options(&weight);
    let dx = B::conv1d_x_backward(x.clone(), weight.clone(), dy.clone(), options.clone());
    (dx, B::conv1d_weight_backward(x, weight, dy, options))
}
