//! Numbers as tokens.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use forge_nn::ops::Axes;

use crate::reference::KeyMap;

/// `token_j = W_j relu(w_j x_j + b_j) + c_j`: a network of its own per numeric feature, all of them
/// at once.
#[derive(Module, Debug)]
pub(super) struct NumericNetworks {
    /// `w`, `[F·K, 1]` with `K` hidden units per feature.
    weight_in: Param<Tensor<2>>,
    /// `b`, `[F·K]`.
    bias_in: Param<Tensor<1>>,
    /// `W`, `[F·D, K]`.
    weight_out: Param<Tensor<2>>,
    /// `c`, `[F·D]`.
    bias_out: Param<Tensor<1>>,
    n_features: usize,
}

impl NumericNetworks {
    /// Uniform within one over the root of the number of inputs, as PyTorch's linear layers begin.
    pub(super) fn new(n_features: usize, hidden: usize, width: usize, device: &Device) -> Self {
        let within = |bound: f64| Initializer::Uniform {
            min: -bound,
            max: bound,
        };
        let (first, second) = (within(1.0), within((hidden as f64).powf(-0.5)));
        Self {
            weight_in: first.init([n_features * hidden, 1], device),
            bias_in: first.init([n_features * hidden], device),
            weight_out: second.init([n_features * width, hidden], device),
            bias_out: second.init([n_features * width], device),
            n_features,
        }
    }

    pub(super) fn parameter_count(n_features: usize, hidden: usize, width: usize) -> usize {
        n_features * (2 * hidden + (hidden + 1) * width)
    }

    pub(super) fn n_features(&self) -> usize {
        self.n_features
    }

    /// # Shapes
    /// - x: `[B, F]`
    /// - output: `[B, F, D]`
    pub(super) fn forward(&self, x: Tensor<2>) -> Tensor<3> {
        let features = self.n_features as i64;
        let weight = self.weight_in.val().reshape([1, features, -1]);
        let bias = self.bias_in.val().reshape([1, features, -1]);
        let hidden = relu(x.unsqueeze_dim::<3>(2) * weight + bias);
        let [_, _, units] = hidden.dims();
        let weight = self
            .weight_out
            .val()
            .reshape([features, -1, units as i64])
            .swapped(1, 2);
        let bias = self.bias_out.val().reshape([1, features, -1]);
        hidden.swapped(0, 1).matmul(weight).swapped(0, 1) + bias
    }

    /// The networks at `ours`; the reference has a list of small modules `theirs`.
    pub(super) fn key_map(
        map: KeyMap,
        ours: &str,
        theirs: &str,
        [n_features, hidden, width]: [usize; 3],
    ) -> KeyMap {
        let parts = |layer: &'static str, rows: usize| {
            (0..n_features).map(move |j| (format!("{theirs}.{j}.layers.{layer}"), rows))
        };
        map.stacked(&format!("{ours}.weight_in"), parts("0.weight", hidden))
            .stacked(&format!("{ours}.bias_in"), parts("0.bias", hidden))
            .stacked(&format!("{ours}.weight_out"), parts("2.weight", width))
            .stacked(&format!("{ours}.bias_out"), parts("2.bias", width))
    }
}
