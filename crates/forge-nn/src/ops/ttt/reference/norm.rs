//! The norm of the inner model, and the gradients of its loss.

use burn::backend::Backend;

use crate::ops::expression::Expr;
use crate::ops::ttt::inner::EPSILON;

/// Scale and shift, `[1, H, 1, D]`.
pub(super) struct Norm<B: Backend> {
    pub(super) weight: Expr<B>,
    pub(super) bias: Expr<B>,
}

/// `(z - mean) / √(var + ε)` and the root.
pub(super) fn normalised<B: Backend>(z: Expr<B>) -> (Expr<B>, Expr<B>) {
    let centred = z.clone() - z.mean_dim(3);
    let variance = (centred.clone() * centred.clone()).mean_dim(3);
    let root = variance.add_scalar(EPSILON).sqrt();
    (centred / root.clone(), root)
}

/// `x` less its mean and its part along `normal`: what a norm lets through.
pub(super) fn across<B: Backend>(x: Expr<B>, normal: Expr<B>) -> Expr<B> {
    let along = (x.clone() * normal.clone()).mean_dim(3);
    x.clone() - x.mean_dim(3) - normal * along
}

impl<B: Backend> Norm<B> {
    pub(super) fn forward(&self, z: Expr<B>) -> Expr<B> {
        normalised(z).0 * self.weight.clone() + self.bias.clone()
    }

    /// The gradient of `z`; those of scale and shift are added to `sums`, `[B, H, K, D]` summed over tokens.
    pub(super) fn backward(&self, z: Expr<B>, dy: Expr<B>, sums: &mut Norm<B>) -> Expr<B> {
        let (normal, root) = normalised(z);
        sums.weight = sums.weight.clone() + (dy.clone() * normal.clone()).sum_dim(2);
        sums.bias = sums.bias.clone() + dy.clone().sum_dim(2);
        across(dy * self.weight.clone(), normal) / root
    }

    /// The gradient of `½ ‖norm(z) - target‖²`.
    pub(super) fn lesson(&self, z: Expr<B>, target: Expr<B>) -> Expr<B> {
        let (normal, root) = normalised(z);
        let error = normal.clone() * self.weight.clone() + self.bias.clone() - target;
        across(error * self.weight.clone(), normal) / root
    }

    /// The gradients of `z` and of the target behind [`lesson`](Self::lesson).
    pub(super) fn lesson_backward(
        &self,
        z: Expr<B>,
        target: Expr<B>,
        dy: Expr<B>,
        sums: &mut Norm<B>,
    ) -> (Expr<B>, Expr<B>) {
        let scale = 1.0 / z.shape()[3] as f64;
        let (normal, root) = normalised(z);
        let error = normal.clone() * self.weight.clone() + self.bias.clone() - target;
        let weighted = error.clone() * self.weight.clone();
        let along = (weighted.clone() * normal.clone()).mean_dim(3);
        let lesson = across(weighted.clone(), normal.clone()) / root.clone();

        let droot = -(dy.clone() * lesson).sum_dim(3) / root.clone();
        let dy = dy / root.clone();
        let dalong = (dy.clone() * normal.clone()).mean_dim(3);
        let dnormal = -(dy.clone() * along + weighted * dalong);
        let dweighted = across(dy, normal.clone());
        let derror = dweighted.clone() * self.weight.clone();
        let dweight = dweighted * error + derror.clone() * normal.clone();
        sums.weight = sums.weight.clone() + dweight.sum_dim(2);
        sums.bias = sums.bias.clone() + derror.clone().sum_dim(2);
        let dnormal = dnormal + derror.clone() * self.weight.clone();
        let dz = across(dnormal, normal.clone()) / root + normal * droot.mul_scalar(scale);
        (dz, -derror)
    }
}
