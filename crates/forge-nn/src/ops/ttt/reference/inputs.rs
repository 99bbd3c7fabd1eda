//! The inputs cut into mini-batches, the parameters into the parts of the inner model.

use burn::backend::Backend;

use super::norm::Norm;
use crate::ops::expression::Expr;
use crate::ops::triangle::{Triangle, triangle};
use crate::ops::ttt::inner::Inner;

/// Weights `[B, H, in, out]` and bias `[B, H, 1, out]`, or the gradients of both.
pub(super) struct Layer<B: Backend> {
    pub(super) weight: Expr<B>,
    pub(super) bias: Expr<B>,
}

impl<B: Backend> Clone for Layer<B> {
    fn clone(&self) -> Self {
        Self {
            weight: self.weight.clone(),
            bias: self.bias.clone(),
        }
    }
}

impl<B: Backend> Layer<B> {
    pub(super) fn forward(&self, x: Expr<B>) -> Expr<B> {
        x.matmul(self.weight.clone()) + self.bias.clone()
    }

    pub(super) fn backward(&self, dy: Expr<B>) -> Expr<B> {
        dy.matmul(self.weight.clone().transpose())
    }

    /// Takes the gradient `dy` of `x W + b` up.
    pub(super) fn add(&mut self, x: Expr<B>, dy: Expr<B>) {
        self.weight = self.weight.clone() + x.transpose().matmul(dy.clone());
        self.bias = self.bias.clone() + dy.sum_dim(2);
    }
}

/// The inputs of a mini-batch.
pub(super) struct Batch<B: Backend> {
    /// `[B, H, K, D]` each.
    pub(super) q: Expr<B>,
    pub(super) k: Expr<B>,
    pub(super) v: Expr<B>,
    /// `[B, H, 1, K]`, of who teaches.
    pub(super) rates: Expr<B>,
    /// `[1, 1, K, 1]`, of who asks.
    pub(super) scales: Expr<B>,
    /// 1 where the one who teaches is not later.
    pub(super) known: Expr<B>,
}

impl<B: Backend> Batch<B> {
    /// How much token i learns from token j, `[B, H, K, K]`.
    pub(super) fn shares(&self) -> Expr<B> {
        self.scales.clone() * self.rates.clone() * self.known.clone()
    }

    pub(super) fn last_scale(&self) -> Expr<B> {
        let size = self.scales.shape()[2];
        self.scales.clone().narrow(2, size - 1, size)
    }

    /// How much those after the mini-batch have learned from each token, `[B, H, K, 1]`.
    pub(super) fn handed_on(&self) -> Expr<B> {
        (self.rates.clone() * self.last_scale()).transpose()
    }
}

/// The inputs in parts.
pub(super) struct Inputs<B: Backend> {
    pub(super) batches: Vec<Batch<B>>,
    pub(super) norm: Norm<B>,
    pub(super) layers: Vec<Layer<B>>,
}

impl<B: Backend> Inputs<B> {
    pub(super) fn new(inputs: [Expr<B>; 6], hidden: Option<usize>) -> Self {
        let [q, k, v, rates, scales, parameters] = inputs;
        let [batch, heads, time, width] = q.shape().dims();
        let inner = Inner { width, hidden };
        let part = |from: usize, to: usize, [rows, columns]: [usize; 2]| {
            let part = parameters.clone().narrow(1, from, to);
            part.reshape([1, heads, rows, columns])
        };
        let start = inner.of_norm();
        let of_layers = |from: usize, to: usize, [rows, columns]: [usize; 2]| {
            part(start + from, start + to, [rows, columns]).expand([batch, heads, rows, columns])
        };
        let layers = inner.layers().into_iter().map(|layer| Layer {
            weight: of_layers(
                layer.weight.start,
                layer.weight.end,
                [layer.input, layer.output],
            ),
            bias: of_layers(layer.bias.start, layer.bias.end, [1, layer.output]),
        });
        let size = scales.shape()[0];
        let known = triangle(&q, Triangle::BelowOrOn, size.min(time));
        let batches = (0..time).step_by(size).map(|from| {
            let to = (from + size).min(time);
            let count = to - from;
            let tokens = |x: &Expr<B>| x.clone().narrow(2, from, to);
            let known = known.clone().narrow(0, 0, count).narrow(1, 0, count);
            Batch {
                q: tokens(&q),
                k: tokens(&k),
                v: tokens(&v),
                rates: tokens(&rates).reshape([batch, heads, 1, count]),
                scales: scales.clone().narrow(0, 0, count).reshape([1, 1, count, 1]),
                known: known.reshape([1, 1, count, count]),
            }
        });
        Self {
            batches: batches.collect(),
            norm: Norm {
                weight: part(0, width, [1, width]),
                bias: part(width, 2 * width, [1, width]),
            },
            layers: layers.collect(),
        }
    }
}
