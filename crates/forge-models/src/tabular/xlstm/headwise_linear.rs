//! A linear layer for each slice of a token.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};
use forge_nn::ops::{Axes, block_diagonal, matmul};

use super::small;

/// Slices up to so wide are too small for products of their own.
const SMALL: usize = 8;

/// `y_g = W_g x_g + b_g` for `G` slices of the last axis, each as wide as it was: a block-diagonal
/// matrix.
#[derive(Module, Debug)]
pub(super) struct HeadwiseLinear {
    /// `W`, `[G, D / G, D / G]`, the output first.
    weight: Param<Tensor<3>>,
    /// `b`, `[D]`, from zeros.
    bias: Option<Param<Tensor<1>>>,
    groups: usize,
    width: usize,
}

impl HeadwiseLinear {
    /// For tokens `width` wide in `groups` slices, started for inputs of `d_input`.
    pub(super) fn new(
        width: usize,
        groups: usize,
        bias: bool,
        d_input: usize,
        device: &Device,
    ) -> Self {
        let each = width / groups;
        Self {
            weight: small(d_input).init([groups, each, each], device),
            bias: bias.then(|| Initializer::Zeros.init([width], device)),
            groups,
            width,
        }
    }

    /// # Shapes
    /// - x, output: `[B, T, D]`
    pub(super) fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let shape = x.dims();
        if self.width / self.groups <= SMALL {
            let bias = self.bias.as_ref().map(Param::val);
            return block_diagonal(x, self.weight.val(), bias);
        }
        let y = self.forward_apart(x).swapped(0, 1).reshape(shape);
        match &self.bias {
            Some(bias) => y + bias.val().unsqueeze::<3>(),
            None => y,
        }
    }

    /// The slices apart, without the bias.
    ///
    /// # Shapes
    /// - x: `[B, T, D]`
    /// - output: `[G, B·T, D / G]`
    pub(super) fn forward_apart(&self, x: Tensor<3>) -> Tensor<3> {
        let [batch, time, _] = x.dims();
        let x = x.reshape([batch * time, self.groups, self.width / self.groups]);
        matmul(x.swapped(0, 1), self.weight.val().swapped(1, 2))
    }
}
