//! The linear layer made of Burn's operations.

use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;

use super::LinearActivation;
use crate::ops::activation::reference::{activated, before_activation};
use crate::ops::expression::Expr;

/// `[M, K] × [K, N]`, where any of them may be 0.
fn matmul<B: Backend>(lhs: Expr<B>, rhs: Expr<B>) -> Expr<B> {
    if lhs.is_empty() || rhs.is_empty() {
        return lhs.zeros_like([lhs.shape()[0], rhs.shape()[1]]);
    }
    lhs.matmul(rhs)
}

/// The output, and the value before the activation.
pub(super) fn forward<B: Backend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: Option<FloatTensor<B>>,
    activation: LinearActivation,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let (x, weight) = (Expr::<B>(x), Expr::<B>(weight));
    let mut shape = x.shape();
    let rank = shape.num_dims();
    shape[rank - 1] = weight.shape()[1];
    let mut z = matmul(x.rows(), weight);
    if let Some(bias) = bias
        && !z.is_empty()
    {
        z = z + Expr(bias).along_last(2);
    }
    let z = z.reshape(shape);
    if z.is_empty() {
        return (z.0.clone(), z.0);
    }
    let y = match activation.on_its_own() {
        Some(activation) => activated(z.clone(), activation),
        None => z.clone(),
    };
    (y.0, z.0)
}

/// The gradients of input, weight and bias.
pub(super) fn backward<B: Backend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    z: FloatTensor<B>,
    dy: FloatTensor<B>,
    activation: LinearActivation,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let (x, weight, z, dy) = (Expr::<B>(x), Expr(weight), Expr(z), Expr(dy));
    if dy.is_empty() {
        // No row or no output: nothing depends on anything.
        let bias_shape = [weight.shape()[1]];
        let zeros = |of: &Expr<B>| of.zeros_like(of.shape()).0;
        return (zeros(&x), zeros(&weight), dy.zeros_like(bias_shape).0);
    }
    let dz = before(z, dy, activation).rows();
    let shape = x.shape();
    let dbias = dz.clone().sum_rows();
    let dweight = matmul(x.rows().transpose(), dz.clone());
    let dx = matmul(dz, weight.transpose()).reshape(shape);
    (dx.0, dweight.0, dbias.0)
}

/// The gradient of the value before the activation.
pub(super) fn before<B: Backend>(z: Expr<B>, dy: Expr<B>, activation: LinearActivation) -> Expr<B> {
    match activation.on_its_own() {
        Some(activation) => before_activation(z, dy, activation),
        None => dy,
    }
}
