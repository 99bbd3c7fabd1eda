//! Variables that are numbers, and how they become vectors.

use burn::tensor::Tensor;
use forge_nn::{Linear, NumericTokenizer, ops};

/// Variables `x_j` that become the vectors `x_j w_j + b_j`.
#[derive(Debug, Clone)]
pub(super) struct Numbers {
    /// `[B, T, V]`.
    x: Tensor<3>,
    /// `w`, `[V, D]`.
    direction: Tensor<2>,
    /// `b`, `[V, D]`.
    origin: Tensor<2>,
}

impl Numbers {
    /// # Shapes
    /// - x: `[B, T, V]`
    pub(super) fn new(x: Tensor<3>, embedding: &NumericTokenizer) -> Self {
        let direction = embedding.weight.val();
        let origin = match &embedding.bias {
            Some(bias) => bias.val(),
            None => direction.zeros_like(),
        };
        Self {
            x,
            direction,
            origin,
        }
    }

    /// All of these side by side.
    pub(super) fn joined(all: Vec<Self>) -> Self {
        let part = |of: fn(&Self) -> Tensor<2>| Tensor::cat(all.iter().map(of).collect(), 0);
        let (direction, origin) = (part(|n| n.direction.clone()), part(|n| n.origin.clone()));
        Self {
            x: Tensor::cat(all.into_iter().map(|numbers| numbers.x).collect(), 2),
            direction,
            origin,
        }
    }

    /// `count` variables from `first` on.
    pub(super) fn part(&self, first: usize, count: usize) -> Self {
        Self {
            x: self.x.clone().narrow(2, first, count),
            direction: self.direction.clone().narrow(0, first, count),
            origin: self.origin.clone().narrow(0, first, count),
        }
    }

    /// The vectors one after the other, `[B, T, V·D]`.
    pub(super) fn vectors(self) -> Tensor<3> {
        let [batch, time, variables] = self.x.dims();
        let width = self.direction.dims()[1];
        let scaled = self.x.unsqueeze_dim::<4>(3) * self.direction.unsqueeze::<4>();
        (scaled + self.origin.unsqueeze::<4>()).reshape([batch, time, variables * width])
    }

    /// `linear` of [`vectors`](Self::vectors), which are not made: as they depend on the numbers
    /// linearly, so does the result, and the product is smaller by the width.
    ///
    /// # Shapes
    /// - output: `[B, T, D_out]`
    pub(super) fn through(&self, linear: &Linear) -> Tensor<3> {
        let [variables, width] = self.direction.dims();
        let weight = linear.weight.val();
        let outputs = weight.dims()[1];
        let each = weight.reshape([variables, width, outputs]);
        let weight = self.direction.clone().unsqueeze_dim::<3>(1).matmul(each);
        let origin = self.origin.clone().reshape([1, variables * width]);
        let bias = linear.forward(origin).squeeze_dim::<1>(0);
        ops::linear(self.x.clone(), weight.squeeze_dim(1), Some(bias))
    }
}
